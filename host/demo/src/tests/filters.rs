//! Filters: spellings, groups, operators.

use super::{filter, found, get, names, total};

#[test]
fn three_spellings_mean_the_same() {
    let one = "filter[field]=stage&filter[operator]=eq&filter[value]=WAIT";
    let list = "filter[0][field]=stage&filter[0][operator]=eq&filter[0][value]=WAIT";
    let group = "filter[logic]=and&filter[filters][0][field]=stage&filter[filters][0][operator]=eq&filter[filters][0][value]=WAIT";
    let counts = [one, list, group].map(|query| total(&format!("tickets.json?{query}&take=1")));
    assert!(counts[0] > 5 && counts[0] < total("tickets.json?take=1"));
    assert_eq!(counts, [counts[0]; 3]);
}

#[test]
fn groups_nest() {
    let query = "filter[logic]=and&filter[filters][0][field]=category&filter[filters][0][operator]=eq\
        &filter[filters][0][value]=reklamace&filter[filters][1][logic]=or\
        &filter[filters][1][filters][0][field]=parentTicket&filter[filters][1][filters][0][operator]=eq\
        &filter[filters][1][filters][0][value]=787251&filter[filters][1][filters][1][field]=id_merge\
        &filter[filters][1][filters][1][operator]=eq&filter[filters][1][filters][1][value]=787251";
    let answer = get(&format!("tickets.json?{query}&fields[0]=name&sort[0][field]=name"));
    assert_eq!(names(&answer), "787252 787253 787254 of 3");
}

#[test]
fn several_conditions_all_hold() {
    assert_eq!(found("tickets", "parentTicket eq 787251; stage eq OPEN"), "787252 of 1");
}

#[test]
fn operators_mean_what_the_table_says() {
    for (conditions, wanted) in [
        ("name eq 787251", "787251 of 1"),
        ("name in 787251|787253", "787251 787253 of 2"),
        ("name notin 787251|787253; parentTicket eq 787251", "787252 of 1"),
        ("name between 787251|787253", "787251 787252 787253 of 3"),
        ("name gt 787259; name lt 787261", "787260 of 1"),
        ("name gte 787260", "787260 787261 of 2"),
        ("name lte 787001", "786990 787001 of 2"),
        ("title like %prasklý rám%", "787256 of 1"),
        ("title like prasklý rám", " of 0"),
        ("title like Prasklý rám%", "787256 of 1"),
        ("title like T__t", "787260 of 1"),
        ("title like 100\\%%", "787261 of 1"),
        ("title contains HROMADNÁ reklamace; title notlike Re:%", "787251 of 1"),
        ("title startswith 100%", "787261 of 1"),
        ("title endswith e-shopu_2", "787261 of 1"),
        ("title contains N3; title doesnotcontain hromadná", "787252 787253 of 2"),
        ("id_merge isnotnull; name gt 787250", "787254 of 1"),
        ("contact isnull; name gt 787250", "787257 787260 of 2"),
        ("contact isnull true; name gt 787258", "787260 of 1"),
        ("stage neq OPEN; name gt 787256", "787257 787259 787261 of 3"),
        // MySQL's null equals nothing and differs from nothing.
        ("contact neq nobody; name in 787257|787258", "787258 of 1"),
        // `eq` minds case.
        ("stage eq open", " of 0"),
    ] {
        assert_eq!(found("tickets", conditions), wanted, "{conditions}");
    }
}

#[test]
fn booleans_are_one_and_zero_or_words() {
    let answered = total(&format!("activitiesCall?{}&take=1", filter("answered eq 1")));
    let missed = total(&format!("activitiesCall?{}&take=1", filter("answered eq 0")));
    assert_eq!(answered + missed, total("activitiesCall?take=1"));
    assert_eq!(
        answered,
        total(&format!("activitiesCall?{}&take=1", filter("answered eq true")))
    );
    assert_eq!(
        missed,
        total(&format!("activitiesCall?{}&take=1", filter("answered eq false")))
    );
}

#[test]
fn a_bare_date_is_its_midnight() {
    let upto = |to: &str| {
        total(&format!(
            "tickets?{}&take=1",
            filter(&format!("created gte 2026-11-19; created lte {to}"))
        ))
    };
    assert_eq!(upto("2026-11-19"), 0);
    assert!(upto("2026-11-19 23:59:59") > 10);
    assert!(upto("2026-11-20 23:59:59") > upto("2026-11-20"));
}

#[test]
fn related_records_go_by_name() {
    assert_eq!(
        found("tickets", "user eq jan.novak; name gt 787250"),
        "787252 787256 of 2"
    );
    assert_eq!(
        found("tickets", "statuses eq status_ceka_na_dil; name gt 787250"),
        "787251 787258 of 2"
    );
    assert_eq!(found("articles", "tags eq tag_zaruka"), "article_posudek_ramu of 1");
}

#[test]
fn dotted_paths_go_through_relations_lists_and_custom_fields() {
    for (model, conditions, wanted) in [
        (
            "tickets",
            "contact.account.title eq Leeds Cycle Works Ltd; name gt 787250",
            "787258 787259 of 2",
        ),
        (
            "contacts",
            "customFields.email eq horakova@prace.example",
            "jana.horakova@seznam.example of 1",
        ),
        (
            "contacts",
            "customFields.number eq 00420999300100",
            "jana.horakova@seznam.example of 1",
        ),
        (
            "contacts",
            "customFields.telefon_prodejny like %200 101",
            "contact_dvorak_petr of 1",
        ),
        (
            "activities",
            "item.id_call eq 1795165201.00000417",
            "activities_dlouhy_hovor of 1",
        ),
        (
            "activities",
            "ticket.customFields.cislo_ramu eq STP-700-26-001187; type eq CALL",
            " of 0",
        ),
        (
            "activitiesEmail",
            "activities.ticket.name eq 787258",
            "emails_english emails_english_2 of 2",
        ),
        (
            "activitiesEmail",
            "ticket eq 787258; direction eq out",
            "emails_english_2 of 1",
        ),
    ] {
        assert_eq!(found(model, conditions), wanted, "{conditions}");
    }
}

#[test]
fn a_channel_record_is_found_by_its_activity() {
    let query = format!(
        "activitiesCall?{}&fields[0]=id_call",
        filter("activity eq activities_dlouhy_hovor")
    );
    assert_eq!(get(&query).result()["data"][0]["id_call"], "1795165201.00000417");
}

#[test]
fn q_looks_into_texts_and_joins_the_filter() {
    assert_eq!(
        names(&get(
            "tickets?q=praskl%C3%BD+m%C4%9Bs%C3%ADc%C3%ADch&take=5&fields[0]=name"
        )),
        "787256 of 1"
    );
    assert_eq!(
        names(&get("articles?q=p%C5%98ep%C4%9Bt%C3%AD&fields[0]=name")),
        "article_nabijecky of 1"
    );
    assert_eq!(
        names(&get("contacts?q=horakova@prace.example&fields[0]=name")),
        "jana.horakova@seznam.example of 1"
    );
    let narrowed = format!(
        "tickets?q=N3&{}&fields[0]=name",
        filter("stage eq CLOSE; id_merge isnull")
    );
    assert_eq!(names(&get(&narrowed)), "787253 of 1");
    assert_eq!(total("queues?q=nothing&take=1"), total("queues?take=1"));
}

#[test]
fn sorting_takes_several_fields_and_both_forms() {
    let list = "sort[0][field]=stage&sort[0][dir]=asc&sort[1][field]=name&sort[1][dir]=desc";
    let query = format!("tickets?{}&{list}&fields[0]=name", filter("name gt 787256"));
    assert_eq!(names(&get(&query)), "787259 787260 787258 787261 787257 of 5");
    let single = "sort[field]=name&sort[dir]=desc&take=2&fields[0]=name";
    assert!(names(&get(&format!("tickets?{single}"))).starts_with("787261 787260 of"));
    let numbers =
        get("activitiesCallTranscripts?sort[0][field]=start&sort[0][dir]=asc&take=1000&fields[0]=start").result();
    let starts = numbers["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| crate::value::text(&row["start"]).parse::<f64>().unwrap());
    assert!(starts.is_sorted());
}

#[test]
fn an_unknown_sort_field_leaves_nothing() {
    let result = get("tickets?sort[0][field]=wrong&sort[0][dir]=asc").result();
    assert_eq!(result, serde_json::json!({"data": [], "total": 0}));
}

#[test]
fn paging_cuts_and_total_does_not() {
    let page = |query: &str| names(&get(&format!("tickets?{query}&sort[0][field]=name&fields[0]=name")));
    let all = total("tickets?take=1");
    assert_eq!(page("skip=1&take=2"), format!("787001 787002 of {all}"));
    assert_eq!(page("page=2&pageSize=2"), format!("787002 787003 of {all}"));
    assert_eq!(page(&format!("skip={all}")), format!(" of {all}"));
    assert_eq!(
        get("tickets?fields[0]=name").result()["data"].as_array().unwrap().len(),
        20
    );
    assert_eq!(get("tickets?take=1&total=false").result().get("total"), None);
}
