"""Run the service: `python -m services.notify`."""

from services.notify.settings import NotifySettings
from shared.runtime.notify_service import serve

if __name__ == "__main__":
    serve(NotifySettings)
