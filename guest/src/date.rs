//! Date arguments. Daktela keeps local times of the instance without an offset, `YYYY-MM-DD HH:MM:SS`.

/// Which end of a range a date is: an end without a time means the whole day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    From,
    Until,
}

/// Checks a date and completes it to the second.
pub fn parse(text: &str, bound: Bound) -> Result<String, String> {
    let expected = "expected a day (2026-11-20) or a time of the instance (2026-11-20 14:30 or 2026-11-20T14:30:00)";
    let text = text.trim();
    let (day, time) = match text.split_once(['T', 't', ' ']) {
        Some((day, time)) => (day, Some(time.trim())),
        None => (text, None),
    };
    if time.is_some_and(|t| t.ends_with(['Z', 'z']) || t.contains(['+', '-'])) {
        return Err(format!(
            "{text:?} has a time zone; Daktela's times are local times of the instance: convert it and leave out Z or the offset, e.g. 2026-11-20 14:30"
        ));
    }
    let day = parse_day(day).ok_or_else(|| format!("{text:?} is not a date; {expected}"))?;
    let time = match (time, bound) {
        (None, Bound::From) => "00:00:00".to_owned(),
        (None, Bound::Until) => "23:59:59".to_owned(),
        (Some(time), _) => {
            parse_time(time, bound).ok_or_else(|| format!("{text:?} is not a date and time; {expected}"))?
        }
    };
    Ok(format!("{day} {time}"))
}

fn parse_day(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    ((1..=days).contains(&day) && (1970..=9999).contains(&year)).then(|| text.to_owned())
}

/// `14:30`, `14:30:15` or `14:30:15.000`. An upper bound without seconds means the whole minute.
fn parse_time(text: &str, bound: Bound) -> Option<String> {
    let text = match text.split_once('.') {
        Some((text, fraction)) if !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit()) => text,
        Some(_) => return None,
        None => text,
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (
            number(hour, 2)?,
            number(minute, 2)?,
            if bound == Bound::Until { 59 } else { 0 },
        ),
        [hour, minute, second] => (number(hour, 2)?, number(minute, 2)?, number(second, 2)?),
        _ => return None,
    };
    (hour < 24 && minute < 60 && second < 60).then(|| format!("{hour:02}:{minute:02}:{second:02}"))
}

fn number(text: &str, digits: usize) -> Option<u32> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, from: &str, until: &str) {
        assert_eq!(parse(text, Bound::From).as_deref(), Ok(from));
        assert_eq!(parse(text, Bound::Until).as_deref(), Ok(until));
    }

    #[test]
    fn a_day_means_the_whole_day() {
        check("2026-11-20", "2026-11-20 00:00:00", "2026-11-20 23:59:59");
        check("2028-02-29", "2028-02-29 00:00:00", "2028-02-29 23:59:59");
    }

    #[test]
    fn a_time_may_be_written_in_the_usual_ways() {
        check("2026-11-20T14:30", "2026-11-20 14:30:00", "2026-11-20 14:30:59");
        check(" 2026-11-20 14:30:05 ", "2026-11-20 14:30:05", "2026-11-20 14:30:05");
        check("2026-11-20T14:30:05.250", "2026-11-20 14:30:05", "2026-11-20 14:30:05");
    }

    #[test]
    fn nonsense_is_refused_with_an_example() {
        for text in [
            "",
            "today",
            "2026-13-01",
            "2026-02-29",
            "2026-1-1",
            "20.11.2026",
            "2026-11-20 25:00",
            "2026-11-20T",
            "+026-11-20",
            "2026-11-20 1:2:3",
            "2026-11-20 10:00:00.",
        ] {
            let error = parse(text, Bound::From).expect_err(text);
            assert!(error.contains("2026-11-20"), "{error}");
        }
    }

    #[test]
    fn a_zone_is_refused_with_the_reason() {
        for text in ["2026-11-20T14:30:00Z", "2026-11-20T14:30:00+01:00"] {
            assert!(
                parse(text, Bound::From)
                    .expect_err(text)
                    .contains("local times of the instance")
            );
        }
    }
}
