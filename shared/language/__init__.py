"""The languages of pages, answers and mails: sentences, their translations, and how times and numbers are written."""
