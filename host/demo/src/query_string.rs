//! Query strings as PHP reads them: `filter[0][value][1]=x` is a tree of maps, `a[]=x` takes the next free number, and of
//! two equal names the last one counts.

use serde_json::{Map, Value};

pub(crate) fn tree(query: &str) -> Map<String, Value> {
    let mut root = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let (first, rest) = name.split_once('[').unwrap_or((&name, ""));
        let mut path = vec![first];
        path.extend(rest.strip_suffix(']').into_iter().flat_map(|rest| rest.split("][")));
        put(&mut root, &path, value.into_owned());
    }
    root
}

/// The values of a list, which PHP writes as a map from numbers.
pub(crate) fn list(value: &Value) -> Option<Vec<&Value>> {
    let map = value.as_object()?;
    map.keys()
        .all(|key| key.parse::<u32>().is_ok())
        .then(|| map.values().collect())
}

fn put(map: &mut Map<String, Value>, path: &[&str], value: String) {
    let key = if path[0].is_empty() {
        map.len().to_string()
    } else {
        path[0].to_owned()
    };
    if path.len() == 1 {
        map.insert(key, Value::String(value));
        return;
    }
    let inner = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    put(inner.as_object_mut().expect("made above"), &path[1..], value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn brackets_make_a_tree() {
        let read = tree("take=5&filter[0][field]=a&filter[0][value][]=x&filter[0][value][]=y%5D&q=p%20q+r&take=6");
        let wanted =
            json!({"take": "6", "filter": {"0": {"field": "a", "value": {"0": "x", "1": "y]"}}}, "q": "p q r"});
        assert_eq!(Value::Object(read), wanted);
    }
}
