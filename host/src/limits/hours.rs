//! Permitted hours: on which days of the week and between which times calls are served.

use std::{fmt, str::FromStr};

use jiff::{Zoned, civil::Weekday};

/// `Mon-Fri 07:00-19:00, Sat 08:00-12:00`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    spans: Vec<Span>,
    written: String,
}

/// On some days of the week, from one minute of the day to before another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    /// By their number, 0 for Monday.
    days: [bool; 7],
    from: u16,
    until: u16,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MINUTES_OF_A_DAY: u16 = 24 * 60;

/// What is wrong with the text, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no span of hours; expected days and times such as \"Mon-Fri 07:00-19:00\" or \"Sat,Sun 08:00-12:00\", several with \", \" or \";\" between them"
)]
pub struct HoursError(String);

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let wrong = || HoursError(text.to_owned());
        let spans: Option<Vec<Span>> = text
            .split(';')
            .flat_map(spans_of)
            .map(|span| parse_span(&span))
            .collect();
        let spans = spans.filter(|spans| !spans.is_empty()).ok_or_else(wrong)?;
        Ok(Self {
            spans,
            written: text.trim().to_owned(),
        })
    }
}

/// Commas stand between days and between spans: a span ends with its times.
fn spans_of(text: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut days: Vec<&str> = Vec::new();
    for part in text.split(',').map(str::trim) {
        days.push(part);
        if part.contains(':') {
            spans.push(days.join(","));
            days.clear();
        }
    }
    if !days.is_empty() {
        spans.push(days.join(","));
    }
    spans
}

fn parse_span(text: &str) -> Option<Span> {
    let (names, times) = text.trim().rsplit_once(char::is_whitespace)?;
    let (from, until) = times.split_once('-')?;
    let (from, until) = (minute(from)?, minute(until)?);
    let mut days = [false; 7];
    for range in names.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (day(first)?, day(last)?);
        // Over the end of the week, as Sat-Mon.
        let length = (last + 7 - first) % 7;
        for number in 0..=length {
            days[(first + number) % 7] = true;
        }
    }
    (from < until).then_some(Span { days, from, until })
}

fn day(name: &str) -> Option<usize> {
    let name = name.trim().to_ascii_lowercase();
    DAYS.iter().position(|known| *known == name)
}

fn minute(time: &str) -> Option<u16> {
    let (hours, minutes) = time.trim().split_once(':')?;
    let is_number = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(hours) || !is_number(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let whole = hours * 60 + minutes;
    (minutes < 60 && whole <= MINUTES_OF_A_DAY).then_some(whole)
}

impl Hours {
    /// Whether calls are served at a local time.
    pub(crate) fn permit(&self, now: &Zoned) -> bool {
        let (day, minute) = (number(now.weekday()), minute_of(now));
        self.spans
            .iter()
            .any(|span| span.days[day] && (span.from..span.until).contains(&minute))
    }

    /// When calls are served again, as a local time: `Mon 2026-11-30 07:00`.
    pub(crate) fn next(&self, now: &Zoned) -> Option<String> {
        let (today, minute) = (number(now.weekday()), minute_of(now));
        for later in 0..=7 {
            let day = (today + later) % 7;
            let starts = self.spans.iter().filter(|span| span.days[day]).map(|span| span.from);
            let Some(from) = starts.filter(|from| later > 0 || *from > minute).min() else {
                continue;
            };
            let days = i64::try_from(later).ok()?;
            let date = now.date().checked_add(jiff::Span::new().days(days)).ok()?;
            return Some(format!("{} {date} {:02}:{:02}", shown(day), from / 60, from % 60));
        }
        None
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

fn number(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

fn minute_of(now: &Zoned) -> u16 {
    u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs())
}

fn shown(day: usize) -> &'static str {
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][day % 7]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Zoned {
        format!("{time}[Europe/Prague]").parse().unwrap()
    }

    #[test]
    fn calls_are_served_within_the_hours() {
        let hours: Hours = "Mon-Fri 07:00-19:00, Sat,Sun 08:00-12:00".parse().unwrap();
        // 2026-11-26 is a Thursday.
        for (time, expected) in [
            ("2026-11-26T06:59", false),
            ("2026-11-26T07:00", true),
            ("2026-11-26T18:59", true),
            ("2026-11-26T19:00", false),
            ("2026-11-28T08:00", true),
            ("2026-11-29T12:00", false),
        ] {
            assert_eq!(hours.permit(&at(time)), expected, "{time}");
        }
        assert_eq!(
            hours.next(&at("2026-11-26T06:00")).as_deref(),
            Some("Thu 2026-11-26 07:00")
        );
        assert_eq!(
            hours.next(&at("2026-11-27T19:30")).as_deref(),
            Some("Sat 2026-11-28 08:00")
        );
        let week: Hours = "Sat-Mon 00:00-24:00".parse().unwrap();
        assert!(week.permit(&at("2026-11-30T23:59")) && !week.permit(&at("2026-12-01T00:00")));
        assert_eq!(
            week.next(&at("2026-12-01T00:00")).as_deref(),
            Some("Sat 2026-12-05 00:00")
        );
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for wrong in [
            "",
            "07:00-19:00",
            "Mon",
            "Mon 7-19",
            "Mon 19:00-07:00",
            "Foo 07:00-19:00",
            "Mon 07:00-25:00",
            "Mon 07:00-19:00, Tue",
        ] {
            let error = wrong.parse::<Hours>().unwrap_err().to_string();
            assert!(error.contains("Mon-Fri 07:00-19:00"), "{wrong}: {error}");
        }
    }
}
