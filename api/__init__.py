"""The REST API: thin serializers and viewsets over the same services as the pages."""
