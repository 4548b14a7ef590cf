//! Durations in words, and the order of local times across the end of daylight saving time (DST), where one hour occurs twice.
//!
//! Daktela's times are local and have no offset. Two of them within the hour that the clocks repeat have no order of their
//! own: `02:58` may be before `02:05`. Which hour that is follows from the time zone; where the zone is not known, the
//! nights of the common rules count.

use std::cmp::Ordering;

use crate::sort;

/// A duration in days, hours and minutes, below an hour with its seconds: `6 d 18 h 7 min`, `2 h 5 min`, `4 min 5 s`.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (if seconds < 3_600 { seconds % 60 } else { 0 }, "s"),
    ];
    let shown: Vec<String> = units
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, unit)| format!("{n} {unit}"))
        .collect();
    if shown.is_empty() {
        "0 s".to_owned()
    } else {
        shown.join(" ")
    }
}

/// The hour, as the beginning of the text (`2026-10-25 02`), where this local time may lie in one that occurs twice.
pub fn repeated_hour<'a>(time: &'a str, zone: Option<&str>) -> Option<&'a str> {
    let part = |range: std::ops::Range<usize>| time.get(range)?.parse::<u32>().ok();
    let (year, month, day, hour) = (part(0..4)?, part(5..7)?, part(8..10)?, part(11..13)?);
    let is_last = day > 24;
    let is_first = day <= 7;
    // Sundays only.
    if weekday(year, month, day) != 0 {
        return None;
    }
    let is_repeated = match (zone.map(rule), month) {
        (Some(Rule::None), _) => false,
        (Some(Rule::Europe(at)), 10) => is_last && hour == at,
        (Some(Rule::Europe(_)), _) => false,
        (Some(Rule::Unknown) | None, 10) => is_last && (1..=3).contains(&hour),
        // America; Australia and New Zealand.
        (Some(Rule::Unknown) | None, 11) => is_first && hour <= 2,
        (Some(Rule::Unknown) | None, 4) => is_first && (1..=3).contains(&hour),
        _ => false,
    };
    is_repeated.then(|| &time[..13])
}

enum Rule {
    None,
    /// The hour that is repeated in the night to the last Sunday of October.
    Europe(u32),
    Unknown,
}

fn rule(zone: &str) -> Rule {
    const WESTERN: &[&str] = &[
        "Atlantic/Canary",
        "Atlantic/Faroe",
        "Atlantic/Madeira",
        "Europe/Belfast",
        "Europe/Dublin",
        "Europe/Guernsey",
        "Europe/Isle_of_Man",
        "Europe/Jersey",
        "Europe/Lisbon",
        "Europe/London",
    ];
    const EASTERN: &[&str] = &[
        "Asia/Nicosia",
        "Europe/Athens",
        "Europe/Bucharest",
        "Europe/Helsinki",
        "Europe/Kiev",
        "Europe/Kyiv",
        "Europe/Mariehamn",
        "Europe/Nicosia",
        "Europe/Riga",
        "Europe/Sofia",
        "Europe/Tallinn",
        "Europe/Vilnius",
    ];
    const STEADY: &[&str] = &[
        "Europe/Istanbul",
        "Europe/Kaliningrad",
        "Europe/Minsk",
        "Europe/Moscow",
        "Europe/Samara",
        "Europe/Saratov",
        "Europe/Volgograd",
        "UTC",
    ];
    match zone {
        zone if STEADY.contains(&zone) || zone.starts_with("Etc/") => Rule::None,
        zone if WESTERN.contains(&zone) => Rule::Europe(1),
        zone if EASTERN.contains(&zone) => Rule::Europe(3),
        // Moldova has hours of its own.
        "Europe/Chisinau" => Rule::Unknown,
        zone if zone.starts_with("Europe/") => Rule::Europe(2),
        _ => Rule::Unknown,
    }
}

/// 0 is Sunday (Sakamoto's method).
fn weekday(year: u32, month: u32, day: u32) -> u32 {
    const SHIFT: [u32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
    if !(1..=12).contains(&month) || year == 0 {
        return 7;
    }
    let year = year - u32::from(month < 3);
    (year + year / 4 - year / 100 + year / 400 + SHIFT[month as usize - 1] + day) % 7
}

/// The order of two local times; `None` where both lie in an hour that occurs twice.
pub fn compare(a: &str, b: &str, zone: Option<&str>) -> Option<Ordering> {
    let hour = repeated_hour(a, zone);
    if hour.is_some() && hour == repeated_hour(b, zone) {
        return None;
    }
    Some(a.cmp(b))
}

/// Items in the order of their local times. Those of an hour that occurs twice keep the order in which they came, and one
/// without a time stays behind the one that it came after. A list that came newest first is turned round.
pub fn sort<T>(mut items: Vec<T>, time: impl Fn(&T) -> Option<String>, zone: Option<&str>) -> Vec<T> {
    let times: Vec<String> = items.iter().filter_map(&time).collect();
    let (mut sure, mut unsure) = ([0, 0], [0, 0]);
    for pair in times.windows(2) {
        let counts = if compare(&pair[0], &pair[1], zone).is_some() {
            &mut sure
        } else {
            &mut unsure
        };
        match pair[0].cmp(&pair[1]) {
            Ordering::Less => counts[0] += 1,
            Ordering::Greater => counts[1] += 1,
            Ordering::Equal => {}
        }
    }
    // Within the repeated hour the clock goes back once.
    let is_newest_first = match sure {
        [0, 0] => unsure[0] <= 1 && unsure[1] >= 2,
        [later, earlier] => earlier > later,
    };
    if is_newest_first {
        items.reverse();
    }
    let mut last = String::new();
    let mut keyed: Vec<(String, T)> = Vec::with_capacity(items.len());
    for item in items {
        if let Some(time) = time(&item) {
            last = repeated_hour(&time, zone).unwrap_or(&time).to_owned();
        }
        keyed.push((last.clone(), item));
    }
    sort::sort_by(&mut keyed, |a, b| a.0.cmp(&b.0));
    keyed.into_iter().map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_can_be_ranked() {
        for (seconds, shown) in [
            (0.0, "0 s"),
            (45.0, "45 s"),
            (245.0, "4 min 5 s"),
            (3_600.0, "1 h"),
            (7_500.0, "2 h 5 min"),
            (86_400.0, "1 d"),
            (86_500.0, "1 d 1 min"),
            (87_485.0, "1 d 18 min"),
            (583_649.0, "6 d 18 h 7 min"),
            (-3.0, "0 s"),
        ] {
            assert_eq!(duration(seconds), shown);
        }
    }

    #[test]
    fn the_repeated_hour_follows_from_the_zone() {
        let prague = Some("Europe/Prague");
        assert_eq!(repeated_hour("2026-10-25 02:58:00", prague), Some("2026-10-25 02"));
        for time in [
            "2026-10-25 01:59:59",
            "2026-10-25 03:00:00",
            "2026-10-18 02:30:00",
            "2026-10-24 02:30:00",
            "2026-03-29 02:30:00",
        ] {
            assert_eq!(repeated_hour(time, prague), None, "{time}");
        }
        for (time, zone, is) in [
            ("2026-10-25 01:10:00", Some("Europe/London"), true),
            ("2026-10-25 02:10:00", Some("Europe/London"), false),
            ("2026-10-25 03:10:00", Some("Europe/Athens"), true),
            ("2026-10-25 02:10:00", Some("Europe/Moscow"), false),
            ("2026-11-01 01:30:00", Some("America/New_York"), true),
            ("2026-04-05 02:30:00", Some("Australia/Sydney"), true),
            ("2025-10-26 02:30:00", None, true),
            ("2026-11-20 02:30:00", None, false),
            ("", None, false),
            ("žluťoučký kůň", None, false),
        ] {
            assert_eq!(repeated_hour(time, zone).is_some(), is, "{time} {zone:?}");
        }
    }

    #[test]
    fn times_of_the_repeated_hour_have_no_order() {
        let prague = Some("Europe/Prague");
        assert_eq!(compare("2026-10-25 02:58:00", "2026-10-25 02:05:00", prague), None);
        assert_eq!(
            compare("2026-10-25 01:58:00", "2026-10-25 02:05:00", prague),
            Some(Ordering::Less)
        );
        assert_eq!(
            compare("2026-10-25 03:00:00", "2026-10-25 02:59:00", prague),
            Some(Ordering::Greater)
        );
        assert_eq!(
            compare("2026-10-26 02:58:00", "2026-10-26 02:05:00", prague),
            Some(Ordering::Greater)
        );
    }

    #[track_caller]
    fn sorted(day: &str, came: &[&str]) -> Vec<String> {
        let items = came.iter().map(|time| format!("{day} {time}")).collect();
        let sorted = sort(items, |time: &String| Some(time.clone()), Some("Europe/Prague"));
        sorted.into_iter().map(|time| time[11..].to_owned()).collect()
    }

    #[test]
    fn messages_of_the_repeated_hour_keep_their_order() {
        let night = "2026-10-25";
        assert_eq!(
            sorted(night, &["02:58:00", "02:59:30", "02:00:10"]),
            ["02:58:00", "02:59:30", "02:00:10"]
        );
        assert_eq!(sorted(night, &["02:58:00", "02:05:00"]), ["02:58:00", "02:05:00"]);
        // Newest first, told by what lies outside of the hour or by the clock going back once only.
        assert_eq!(
            sorted(night, &["03:01:00", "02:00:10", "02:59:30", "01:58:00"]),
            ["01:58:00", "02:59:30", "02:00:10", "03:01:00"]
        );
        assert_eq!(
            sorted(night, &["02:04:00", "02:00:10", "02:59:30", "02:58:00"]),
            ["02:58:00", "02:59:30", "02:00:10", "02:04:00"]
        );
        // On any other day the clock says it all.
        assert_eq!(
            sorted("2026-10-24", &["02:58:00", "02:00:10", "02:30:00"]),
            ["02:00:10", "02:30:00", "02:58:00"]
        );
    }

    #[test]
    fn an_item_without_a_time_stays_behind_the_one_before_it() {
        let times = [
            ("a", Some("10:00:01")),
            ("no time", None),
            ("c", Some("10:00:03")),
            ("b", Some("10:00:02")),
        ];
        let sorted = sort(
            times.to_vec(),
            |(_, time)| time.map(|time| format!("2026-11-20 {time}")),
            None,
        );
        assert_eq!(
            sorted.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["a", "no time", "b", "c"]
        );
    }
}
