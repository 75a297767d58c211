//! Regions.

use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Region {
    #[schema(example = "eu-west-1")]
    name: String,
    created_at: String,
}

impl From<&gazer_store::Place> for Region {
    fn from(place: &gazer_store::Place) -> Self {
        Self { name: place.region.to_string(), created_at: place.created.rfc3339() }
    }
}
