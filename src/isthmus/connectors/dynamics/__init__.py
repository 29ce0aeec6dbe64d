"""The Dynamics 365 family. Shared: OData wire format (_odata) and Entra sign-in (_auth)."""
