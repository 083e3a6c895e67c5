"""The provider simulator: Outlook and Google Calendar with rooms that decide. Imports nothing of the product."""
