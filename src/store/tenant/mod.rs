//! One tenant's database, a file a table family.
pub struct TenantStore;
