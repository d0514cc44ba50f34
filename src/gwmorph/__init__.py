"""Maps of gravitational-wave transient morphologies."""
