//! Quotas that a person sets: calls, records and bytes of answers for a caller and day, and permitted hours. A refusal says which
//! limit it was, when it ends and who decides.
//!
//! Counted in this process: each replica counts for itself, and a restart begins anew. A caller is an account of Daktela where
//! it is known, whatever credentials it comes with.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};

use super::hours::Hours;

/// Where Daktela's servers are, for as long as an instance has not named its own zone.
const USUAL_ZONE: &str = "Europe/Prague";

/// What the operator decides. What is absent is not limited.
#[derive(Debug, Clone, Default)]
pub struct QuotaSettings {
    pub calls: Option<u64>,
    /// Records whose contents are in answers.
    pub records: Option<u64>,
    /// Of answers.
    pub bytes: Option<u64>,
    pub hours: Option<Hours>,
    /// Whose days and hours count; that of the instance where it is absent.
    pub zone: Option<TimeZone>,
    /// Who decides, in the operator's words.
    pub contact: Option<String>,
}

impl QuotaSettings {
    fn limits_nothing(&self) -> bool {
        self.calls.is_none() && self.records.is_none() && self.bytes.is_none() && self.hours.is_none()
    }
}

/// Refused by a quota; the text is for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuotaExceeded(String);

pub struct Quotas {
    settings: QuotaSettings,
    /// By caller.
    used: Mutex<HashMap<String, Used>>,
}

/// What a caller used on a day.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    day: Date,
    calls: u64,
    records: u64,
    bytes: u64,
}

impl Quotas {
    /// `None` where nothing is limited.
    pub fn new(settings: QuotaSettings) -> Option<Self> {
        (!settings.limits_nothing()).then(|| Self {
            settings,
            used: Mutex::default(),
        })
    }

    /// Counts a call of a caller, or refuses it. `zone` is what the instance calls its own; `caller` is absent where Daktela has not
    /// accepted the credential yet, so that made-up ones take no memory.
    pub fn admit(&self, caller: Option<&str>, zone: Option<&str>) -> Result<(), QuotaExceeded> {
        self.admit_at(caller, &self.local(Timestamp::now(), zone))
    }

    fn admit_at(&self, caller: Option<&str>, now: &Zoned) -> Result<(), QuotaExceeded> {
        let zone = now.time_zone().iana_name().unwrap_or("local time");
        if let Some(hours) = self.settings.hours.as_ref().filter(|hours| !hours.permit(now)) {
            let next = hours.next(now).unwrap_or_default();
            let time = now.strftime("%a %H:%M");
            return Err(self.refusal(&format!(
                "this server serves calls {hours} ({zone}), and it is {time}; the next time is {next}"
            )));
        }
        let Some(caller) = caller else { return Ok(()) };
        let mut all = self.used();
        let used = of_today(&mut all, caller, now.date());
        for (limit, used, what) in [
            (self.settings.calls, used.calls, "calls"),
            (self.settings.records, used.records, "records"),
            (self.settings.bytes, used.bytes, "bytes of answers"),
        ] {
            if let Some(limit) = limit.filter(|limit| used >= *limit) {
                let reset = now.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
                let reset = reset
                    .map(|reset| reset.strftime("%Y-%m-%d %H:%M").to_string())
                    .unwrap_or_default();
                return Err(self.refusal(&format!(
                    "the quota of {limit} {what} for one caller and day is used up; it resets at {reset} ({zone})"
                )));
            }
        }
        used.calls += 1;
        Ok(())
    }

    /// Counts what an answer held.
    pub fn charge(&self, caller: &str, zone: Option<&str>, records: u64, bytes: u64) {
        let today = self.local(Timestamp::now(), zone).date();
        let mut all = self.used();
        let used = of_today(&mut all, caller, today);
        used.records = used.records.saturating_add(records);
        used.bytes = used.bytes.saturating_add(bytes);
    }

    fn refusal(&self, why: &str) -> QuotaExceeded {
        let who = match &self.settings.contact {
            Some(contact) => format!("Who decides on it: {contact}"),
            None => "Whoever runs this server decides on it".to_owned(),
        };
        QuotaExceeded(format!("{why}. {who}"))
    }

    fn local(&self, now: Timestamp, zone: Option<&str>) -> Zoned {
        let named = |name: &str| TimeZone::get(name).ok();
        let zone = self
            .settings
            .zone
            .clone()
            .or_else(|| named(zone?))
            .or_else(|| named(USUAL_ZONE));
        now.to_zoned(zone.unwrap_or(TimeZone::UTC))
    }

    fn used(&self) -> MutexGuard<'_, HashMap<String, Used>> {
        // A panic cannot leave it half changed.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a caller used today. Those of former days are forgotten when a new day begins.
fn of_today<'a>(all: &'a mut HashMap<String, Used>, caller: &str, today: Date) -> &'a mut Used {
    if !all.contains_key(caller) {
        // Zones differ by a day at most.
        let kept = today.yesterday().and_then(|day| day.yesterday()).unwrap_or(today);
        all.retain(|_, used| used.day > kept);
    }
    let used = all.entry(caller.to_owned()).or_default();
    if used.day != today {
        *used = Used {
            day: today,
            ..Used::default()
        };
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Zoned {
        format!("{time}[Europe/Prague]").parse().unwrap()
    }

    fn quotas(settings: QuotaSettings) -> Quotas {
        Quotas::new(settings).unwrap()
    }

    #[test]
    fn a_caller_has_so_many_calls_a_day() {
        let quotas = quotas(QuotaSettings {
            calls: Some(2),
            contact: Some("it@example.com".to_owned()),
            ..QuotaSettings::default()
        });
        let now = at("2026-11-26T23:59");
        for _ in 0..2 {
            assert_eq!(quotas.admit_at(Some("jan"), &now), Ok(()));
        }
        assert_eq!(
            quotas.admit_at(Some("jan"), &now).unwrap_err().to_string(),
            "the quota of 2 calls for one caller and day is used up; it resets at 2026-11-27 00:00 (Europe/Prague). Who decides on it: \
             it@example.com"
        );
        assert_eq!(quotas.admit_at(Some("eva"), &now), Ok(()));
        assert_eq!(quotas.admit_at(Some("jan"), &at("2026-11-27T00:00")), Ok(()));
    }

    #[test]
    fn records_and_bytes_count_when_the_answer_is_there() {
        for (settings, what) in [
            (
                QuotaSettings {
                    records: Some(10),
                    ..QuotaSettings::default()
                },
                "10 records",
            ),
            (
                QuotaSettings {
                    bytes: Some(1_000),
                    ..QuotaSettings::default()
                },
                "1000 bytes of answers",
            ),
        ] {
            let quotas = quotas(settings);
            assert_eq!(quotas.admit(Some("jan"), None), Ok(()));
            quotas.charge("jan", None, 9, 999);
            assert_eq!(quotas.admit(Some("jan"), None), Ok(()));
            quotas.charge("jan", None, 1, 1);
            let refusal = quotas.admit(Some("jan"), None).unwrap_err().to_string();
            assert!(refusal.contains(what), "{refusal}");
        }
    }

    #[test]
    fn outside_of_the_hours_nobody_is_served_and_hears_when() {
        let quotas = quotas(QuotaSettings {
            hours: Some("Mon-Fri 07:00-19:00".parse().unwrap()),
            ..QuotaSettings::default()
        });
        assert_eq!(quotas.admit_at(None, &at("2026-11-26T12:00")), Ok(()));
        assert_eq!(
            quotas.admit_at(None, &at("2026-11-28T12:00")).unwrap_err().to_string(),
            "this server serves calls Mon-Fri 07:00-19:00 (Europe/Prague), and it is Sat 12:00; the next time is Mon 2026-11-30 07:00. \
             Whoever runs this server decides on it"
        );
    }

    #[test]
    fn an_unknown_caller_takes_no_memory() {
        let quotas = quotas(QuotaSettings {
            calls: Some(1),
            ..QuotaSettings::default()
        });
        assert_eq!(quotas.admit(None, None), Ok(()));
        assert!(quotas.used().is_empty());
    }
}
