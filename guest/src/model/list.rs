//! Declarations of lists: the filters, order and page size of an entity's list.

use super::{
    entity::Entity,
    filter::FilterParam,
    param::{self, Param},
};
use crate::daktela::query::Direction;

/// A list of an entity: how it narrows, its order and its page.
pub struct List {
    pub entity: &'static Entity,
    pub filters: &'static [FilterParam],
    /// The order unless the caller gives one.
    pub sort: Option<(&'static str, Direction)>,
    /// How many unless the caller says, and at most.
    pub take: (u64, u64),
}

impl List {
    pub fn params(&self) -> Vec<Param> {
        let mut params: Vec<Param> = self.filters.iter().map(|filter| filter.param).collect();
        if !self.entity.sort.is_empty() {
            let sort = match self.entity.list_sort {
                [] => self.entity.sort,
                all => all,
            };
            params.extend([param::sort(sort), param::SORT_DIR]);
        }
        params.extend([param::SKIP, param::take(self.take.0, self.take.1)]);
        if !self.entity.is_reference_data {
            params.push(param::FIELDS);
        }
        params.extend_from_slice(self.entity.extra_params);
        if !self.entity.texts.is_empty() {
            params.push(param::TEXT_CHARS);
        }
        params.push(param::MAX_BYTES);
        params
    }
}
