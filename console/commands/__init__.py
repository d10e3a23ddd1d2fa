"""One module for each word after `handrail`; each defines `app` and is imported when that word is used."""
