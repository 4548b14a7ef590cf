//! Fields of answers: the key of each is what programs rely on, so that a change of it is read.

use std::collections::{BTreeMap, BTreeSet};

use guest::{
    catalog,
    model::{entity::Entity, field::Detail, output::snake_case, tool::Run},
};

use crate::golden;

/// Those of list and get tools, by their plural.
fn entities() -> BTreeMap<&'static str, &'static Entity> {
    catalog::tools()
        .filter_map(|tool| match &tool.run {
            Run::List(list) | Run::Count(list) => Some(list.entity),
            Run::Get(entity) => Some(*entity),
            Run::Statistics(_) | Run::Custom { .. } => None,
        })
        .map(|entity| (entity.plural, entity))
        .collect()
}

#[test]
fn the_keys_of_fields_are_a_golden_file() {
    let mut out = String::new();
    for (plural, entity) in entities() {
        out += &format!("{plural}\n");
        let mut keys = BTreeSet::new();
        for field in entity.fields_at(Detail::Full) {
            let key = snake_case(field.label);
            out += &format!("  {key}: {}\n", field.label);
            assert!(
                keys.insert(key),
                "{} of {plural} has the key of another field",
                field.label
            );
        }
    }
    golden::assert_eq(&golden::folder().join("golden/fields.txt"), &out);
}
