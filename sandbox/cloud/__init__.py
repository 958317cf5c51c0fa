"""AWS on loopback: moto behind authorisation, with a journal that survives a restart."""
