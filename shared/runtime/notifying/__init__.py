"""The service of webhooks: one part follows the topics and notes what is to be told, the other delivers it."""
