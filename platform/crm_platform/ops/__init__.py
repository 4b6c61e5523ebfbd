"""Running the service: environment, embedded servers, the `crm` command, health, logs, errors."""
