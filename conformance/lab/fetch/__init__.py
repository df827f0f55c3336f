"""The real control plane's programs, from their release locations or a mirror, verified, into a folder."""
