//! Fuzz target: any text as the value of a filter, a part of a path or a field: a URL parser reads the same out of it.
#![no_main]

use guest::daktela::query::{self, Direction, Filter, Query};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|input: (&str, Vec<String>)| {
    let (one, many) = input;
    let mut query = Query::new("tickets", 5)
        .sort(one, Direction::Ascending)
        .filter(Filter::eq("title", one));
    if !many.is_empty() {
        query = query.filter(Filter::one_of("stage", many.clone()));
    }
    let url = Url::parse("https://acme.daktela.com")
        .and_then(|origin| origin.join(&query.to_path()))
        .expect("a URL");
    assert_eq!((url.path(), url.fragment()), ("/api/v6/tickets.json", None));
    let pairs: Vec<_> = form_urlencoded::parse(url.query().expect("a query").as_bytes()).collect();
    let read = pairs.iter().filter(|(_, value)| value == one).count();
    assert!(read >= 2, "the value stands in the filter and in the sort: {pairs:?}");
    for value in &many {
        assert!(
            pairs.iter().any(|(_, read)| read == value),
            "{value:?} is lost: {pairs:?}"
        );
    }

    let Some(path) = query::record_path("tickets", one, &[]) else {
        assert!(!query::is_plain_name(one));
        return;
    };
    let url = Url::parse("https://acme.daktela.com")
        .and_then(|origin| origin.join(&path))
        .expect("a URL");
    assert_eq!(url.path(), path, "nothing of a name moves the path");
});
