"""People's grants: refresh tokens sealed per tenant, refreshed by one process at a time, mapped to consent states."""
