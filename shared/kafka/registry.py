"""The Confluent schema registry, where one is configured."""

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from shared.core.errors import Unavailable


class Registry:
    """Ids to schemas and back; each call may block for seconds."""

    def __init__(self, url: str) -> None:
        self._client = SchemaRegistryClient({"url": url, "timeout": 5})

    def schema(self, schema_id: int) -> str | None:
        """The schema of that id, None where the registry has none. Raises Unavailable."""
        try:
            return self._client.get_schema(schema_id).schema_str
        except SchemaRegistryError as error:
            if error.http_status_code == 404:
                return None
            raise Unavailable("registry", str(error)) from error
        except OSError as error:
            raise Unavailable("registry", str(error)) from error

    def register(self, subject: str, schema: str) -> int:
        """Id of the schema under the subject, registered if it is new. Raises Unavailable."""
        try:
            return self._client.register_schema(subject, Schema(schema, "AVRO"), normalize_schemas=True)
        except (SchemaRegistryError, OSError) as error:
            raise Unavailable("registry", str(error)) from error
