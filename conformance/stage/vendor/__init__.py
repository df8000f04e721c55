"""The vendor's API: served by what the adapter describes, validated, and made to fail."""
