//! The company many times as large.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{TOKEN, fields, filter, try_get};
use crate::*;

fn large(scale: usize) -> Demo {
    Demo::start_with(Quirks {
        scale,
        ..Quirks::default()
    })
    .unwrap()
}

fn total(demo: &Demo, path: &str) -> u64 {
    let result = try_get(demo, TOKEN, path).unwrap().result();
    result["total"].as_u64().unwrap()
}

#[test]
fn a_busy_month_of_a_large_company() {
    let demo = large(50);
    for (model, field, least, most) in [
        ("activitiesCall", "call_time", 9_500, 10_500),
        ("activitiesEmail", "time", 4_600, 5_400),
        ("tickets", "created", 3_800, 4_300),
    ] {
        let month = filter(&format!("{field} gte 2026-10-01; {field} lt 2026-11-01"));
        let count = total(&demo, &format!("{model}?{month}&take=1"));
        assert!((least..most).contains(&count), "{count} {model}");
    }
}

#[test]
fn the_records_of_scale_1_stay() {
    let (small, large) = (large(1), large(3));
    for (model, key) in [
        ("activitiesCall", "id_call"),
        ("tickets", "name"),
        ("contacts", "name"),
        ("crmRecords", "name"),
    ] {
        let (few, many) = (small.records(model), large.records(model));
        assert!(many.len() > 3 * few.len() / 2, "{model}");
        let by_key: HashMap<String, _> = many.iter().map(|row| (row[key].to_string(), row)).collect();
        for row in &few {
            assert_eq!(by_key[&row[key].to_string()], row, "{model}");
        }
    }
}

#[test]
fn calls_spread_as_in_a_contact_centre() {
    let calls = large(3).records("activitiesCall");
    let count = |holds: &dyn Fn(&serde_json::Map<String, serde_json::Value>) -> bool| {
        calls.iter().filter(|call| holds(call)).count()
    };
    let hour = |from: &str, to: &str| {
        count(&|call| {
            let time = &call["call_time"].as_str().unwrap()[11..];
            (from..to).contains(&time)
        })
    };
    assert!(hour("09:00", "11:00") > 2 * hour("16:00", "18:00"));
    let incoming = count(&|call| call["direction"] == "in");
    let missed = count(&|call| call["direction"] == "in" && call["answered"] == false);
    assert!((5..25).contains(&(100 * missed / incoming)), "{missed} of {incoming}");
    let returned = count(&|call| !call["missed_callback"].is_null());
    assert!(missed / 3 < returned && returned < missed, "{returned} of {missed}");
    let mut callers: HashMap<&str, usize> = HashMap::new();
    for call in &calls {
        *callers.entry(call["clid"].as_str().unwrap()).or_default() += 1;
    }
    callers.remove("anonymous");
    assert!(callers.values().filter(|count| **count > 3).count() > 20);
    assert!(callers.values().filter(|count| **count == 1).count() > 100);
}

/// Reading a month in pages takes a time that grows with the pages, not with their square.
#[test]
fn pages_of_a_large_company_come_quickly() {
    let demo = large(50);
    let month = filter("call_time gte 2026-10-01; call_time lt 2026-11-01; direction eq in");
    let wanted = fields("id_call,call_time,answered,id_queue.title,id_agent.title,contact.title,waiting_time,duration");
    let page = |skip: usize| {
        let path =
            format!("activitiesCall?{month}&{wanted}&sort[0][field]=call_time&sort[0][dir]=desc&take=1000&skip={skip}");
        try_get(&demo, TOKEN, &path).unwrap().result()["data"]
            .as_array()
            .unwrap()
            .len()
    };
    page(0);
    let start = Instant::now();
    assert_eq!([page(1000), page(2000), page(3000)], [1000; 3]);
    let activities = (0..50).map(|number| {
        let ticket = 800_001 + number * 97;
        try_get(&demo, TOKEN, &format!("tickets/{ticket}/activities?take=1"))
            .unwrap()
            .status
    });
    assert!(activities.into_iter().all(|status| status == 200));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
