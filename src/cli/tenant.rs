//! `bbctl tenant …`

use super::cell::Cell;
use super::console::Console;
use super::present::Show;
use crate::domain::tenant::Tenant;
use crate::wire::{Failure, tenant as wire};
use clap::Subcommand;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a call centre
    Create {
        /// Short name for the login form and --tenant: a-z, 0-9 and '-'
        slug: String,
        /// The firm's name; the short name if not given
        #[arg(long)]
        name: Option<String>,
        /// Region of national numbers, ISO 3166
        #[arg(long, value_name = "CODE", default_value = "JP")]
        region: String,
        /// IANA time zone
        #[arg(long, value_name = "ZONE", default_value = "Asia/Tokyo")]
        time_zone: String,
    },
    /// List call centres
    List,
    /// Show one call centre
    Show {
        /// Its short name
        slug: String,
    },
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Create { slug, name, region, time_zone } => {
                let (region, time_zone) = (Some(region), Some(time_zone));
                console.change(wire::Create { slug, name, region, time_zone }).await
            }
            Self::List => console.list(wire::Index {}).await,
            Self::Show { slug } => console.show(wire::Show { slug }).await,
        }
    }
}

impl Show for Tenant {
    const COLUMNS: &'static [&'static str] = &["slug", "name", "region", "time_zone", "created_at"];
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.slug),
            Cell::text(&self.name),
            Cell::text(&self.region),
            Cell::text(&self.time_zone),
            Cell::Time(self.created_at),
        ]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("tenant {}", self.slug)
    }
    fn more(&self) -> Vec<(&'static str, Cell)> {
        vec![("id", Cell::Text(self.id()))]
    }
}
