"""Run the service: `python -m services.journal`."""

from services.journal.settings import JournalSettings
from shared.runtime.journal_service import serve

if __name__ == "__main__":
    serve(JournalSettings)
