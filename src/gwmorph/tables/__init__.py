"""Every table's schema, declared once, in the module of the stage that makes it."""
