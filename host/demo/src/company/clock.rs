//! Timestamps of the sample data: working hours from June to the fixed present, nearly half of them in the last week.

use jiff::{
    SignedDuration, ToSpan,
    civil::{Date, DateTime, Weekday, date},
};

use crate::NOW;

const OPENS_HOUR: i8 = 8;
const MINUTES_A_DAY: usize = 600;
/// Out of a hundred records, so many are from before the last week.
const EARLIER: usize = 55;

pub(super) fn now() -> DateTime {
    NOW.parse().expect("the story clock is a time")
}

/// The time of record `number` out of `all`: later numbers are later times.
pub(super) fn moment(number: usize, all: usize) -> DateTime {
    let turn = all * EARLIER / 100;
    let (first, last, number, all, unused) = match number < turn {
        true => (date(2026, 6, 1), date(2026, 11, 12), number, turn, 0),
        // The last day ends where the story does, an hour and a half before closing.
        false => (date(2026, 11, 13), date(2026, 11, 20), number - turn, all - turn, 95),
    };
    let days: Vec<Date> = first
        .series(1.day())
        .take_while(|day| *day <= last)
        .filter(|day| works(*day))
        .collect();
    let minute = number * (days.len() * MINUTES_A_DAY - unused) / all;
    let opening = days[minute / MINUTES_A_DAY].at(OPENS_HOUR, 0, 0, 0);
    after(
        opening,
        (minute % MINUTES_A_DAY) as i64 * 60 + super::roll("second", number, 60) as i64,
    )
}

pub(super) fn after(time: DateTime, seconds: i64) -> DateTime {
    time.saturating_add(SignedDuration::from_secs(seconds))
}

pub(super) fn text(time: DateTime) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub(super) fn parse(text: &str) -> DateTime {
    text.parse()
        .unwrap_or_else(|error| panic!("{text:?} is no time: {error}"))
}

pub(super) fn seconds_between(from: &str, to: &str) -> i64 {
    parse(to).duration_since(parse(from)).as_secs()
}

#[cfg(test)]
pub(super) fn is_time(text: &str) -> bool {
    text.len() == 19 && text.parse::<DateTime>().is_ok()
}

fn works(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}
