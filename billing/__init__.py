"""Plans, subscriptions and invoices: the price of renting Rapport."""
