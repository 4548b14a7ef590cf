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

/// The seconds of a local time `YYYY-MM-DD HH:MM:SS`, as if no clock were ever changed: 1970-01-01 00:00:00 is 0. A day without a
/// time is its midnight. `None` for anything else.
pub fn seconds(time: &str) -> Option<i64> {
    let part = |range: std::ops::Range<usize>| time.get(range)?.parse::<i64>().ok();
    let days = days(&Date {
        year: part(0..4)?,
        month: part(5..7)?,
        day: part(8..10)?,
    })?;
    let of_day = match time.len() {
        10 => 0,
        _ => part(11..13)? * 3_600 + part(14..16)? * 60 + part(17..19)?,
    };
    Some(days * 86_400 + of_day)
}

/// How many seconds passed between two local times of a zone, negative where the second one is earlier. In Europe the hour by
/// which clocks are changed is counted; elsewhere it is not known when they are, so that a span over such a night is an hour off.
pub fn between(from: &str, to: &str, zone: Option<&str>) -> Option<i64> {
    let ahead = |time: &str| i64::from(is_summer(time, zone)) * 3_600;
    Some(seconds(to)? - seconds(from)? - ahead(to) + ahead(from))
}

/// Whether the clocks of a zone of Europe are an hour ahead; of the hour that occurs twice the first one is meant.
fn is_summer(time: &str, zone: Option<&str>) -> bool {
    let Some(Rule::Europe(at)) = zone.map(rule) else {
        return false;
    };
    let part = |range: std::ops::Range<usize>| time.get(range).and_then(|part| part.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else {
        return false;
    };
    let hour = part(11..13).unwrap_or(0);
    let last_sunday = || 31 - weekday(year, month, 31);
    match month {
        3 => (day, hour) >= (last_sunday(), at),
        4..=9 => true,
        10 => (day, hour) <= (last_sunday(), at),
        _ => false,
    }
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

/// Days since 1970-01-01 (Hinnant's method).
fn days(Date { year, month, day }: &Date) -> Option<i64> {
    if !(1..=12).contains(month) || !(1..=31).contains(day) {
        return None;
    }
    let year = year - i64::from(*month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The day of so many days since 1970-01-01.
fn date(days: i64) -> Date {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    Date {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: of_year - (153 * shifted + 2) / 5 + 1,
    }
}

/// `YYYY-MM-DD HH:MM:SS` so many seconds later, on a clock that is never changed.
pub fn later(time: &str, by: i64) -> Option<String> {
    let seconds = seconds(time)? + by;
    let Date { year, month, day } = date(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
    ))
}

/// The day of the week of a local time: 1 is Monday, 7 is Sunday.
pub fn day_of_week(time: &str) -> Option<u32> {
    let days = seconds(time)?.div_euclid(86_400);
    // 1970-01-01 was a Thursday.
    u32::try_from((days + 3).rem_euclid(7) + 1).ok()
}

/// The week of a local time by ISO 8601, `2026-W47`, and its Monday, `2026-11-16`.
pub fn week(time: &str) -> Option<(String, String)> {
    let days = seconds(time)?.div_euclid(86_400);
    let monday = days - (days + 3).rem_euclid(7);
    // The week belongs to the year that its Thursday is in.
    let thursday = date(monday + 3);
    let first = self::days(&Date {
        month: 1,
        day: 1,
        ..thursday
    })?;
    let number = (monday + 3 - first) / 7 + 1;
    let Date { year, month, day } = date(monday);
    Some((
        format!("{:04}-W{number:02}", thursday.year),
        format!("{year:04}-{month:02}-{day:02}"),
    ))
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
    fn a_span_over_a_night_in_which_clocks_change_is_what_passed() {
        let prague = Some("Europe/Prague");
        for (from, to, zone, seconds) in [
            ("2026-10-24 12:00:00", "2026-10-25 12:00:00", prague, 25 * 3_600),
            ("2026-03-28 12:00:00", "2026-03-29 12:00:00", prague, 23 * 3_600),
            ("2026-10-25 02:30:00", "2026-10-25 03:30:00", prague, 2 * 3_600),
            ("2026-07-01 00:00:00", "2026-07-02 00:00:01", prague, 86_401),
            ("2026-12-31 23:59:59", "2027-01-01 00:00:00", prague, 1),
            ("2026-10-25 12:00:00", "2026-10-24 12:00:00", prague, -25 * 3_600),
            ("2026-10-24 12:00:00", "2026-10-25 12:00:00", Some("UTC"), 24 * 3_600),
            ("2026-10-24 12:00:00", "2026-10-25 12:00:00", None, 24 * 3_600),
        ] {
            assert_eq!(between(from, to, zone), Some(seconds), "{from} {to} {zone:?}");
        }
        assert_eq!(between("", "2026-10-25 12:00:00", prague), None);
    }

    #[test]
    fn the_calendar_is_right_in_both_directions() {
        for days in (-200_000..200_000).step_by(37) {
            assert_eq!(self::days(&date(days)), Some(days));
        }
        assert_eq!(seconds("1970-01-02"), Some(86_400));
        assert_eq!(seconds("2026-11-20 00:00:01"), Some(1_795_132_801));
        assert_eq!(later("2026-12-31 23:59:59", 1).as_deref(), Some("2027-01-01 00:00:00"));
        for (day, number) in [("2026-11-16", 1), ("2026-11-20 10:00:00", 5), ("2026-11-22", 7)] {
            assert_eq!(day_of_week(day), Some(number), "{day}");
        }
        for (day, name, monday) in [
            ("2026-11-20 10:00:00", "2026-W47", "2026-11-16"),
            ("2027-01-01", "2026-W53", "2026-12-28"),
            ("2024-12-30", "2025-W01", "2024-12-30"),
        ] {
            assert_eq!(week(day), Some((name.to_owned(), monday.to_owned())), "{day}");
        }
        assert_eq!(week("soon"), None);
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
