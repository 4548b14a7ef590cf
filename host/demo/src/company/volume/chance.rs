//! Pseudo-random choices (SplitMix64) and the calendar: how conversations spread over months, weekdays and hours. All of it
//! in whole numbers, so that every machine makes the same company.

use std::sync::LazyLock;

use jiff::{
    ToSpan,
    civil::{Date, DateTime, Weekday, date},
};

use super::super::clock;

const DAY: i64 = 86_400;
const FIRST: Date = date(2026, 6, 1);
/// Deadlines and reminders are written too, so the calendar goes on for a while.
const LAST: Date = date(2027, 6, 30);

/// Weights of the hours of a day.
pub(super) const HOURS_OF_CALLS: [usize; 24] = [
    0, 0, 0, 0, 0, 0, 0, 15, 85, 140, 145, 110, 65, 90, 115, 105, 75, 35, 8, 2, 0, 0, 0, 0,
];
/// Mails, forms and chats come at any time.
pub(super) const HOURS_OF_WRITING: [usize; 24] = [
    4, 2, 1, 1, 1, 4, 14, 35, 80, 105, 110, 95, 70, 75, 90, 85, 70, 55, 45, 45, 50, 45, 28, 12,
];

/// From a seed the same numbers on every machine.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, sides: usize) -> usize {
        (self.next() % sides as u64) as usize
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// The early ones much oftener than the late ones: few customers make most of the traffic.
    pub(super) fn skewed(&mut self, sides: usize) -> usize {
        self.below(sides) * self.below(sides) / sides
    }

    pub(super) fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return at,
            }
        }
        unreachable!("a number below the sum falls to one of them")
    }

    /// A value of a distribution that is given by its quantiles, evenly spaced.
    pub(super) fn from(&mut self, quantiles: &[i64]) -> i64 {
        let at = self.below(quantiles.len() - 1);
        let (low, high) = (quantiles[at], quantiles[at + 1]);
        low + (self.next() % (high - low).max(1) as u64) as i64
    }
}

/// `all` moments from June until the story stands still, in order, as seconds since 1 June 2026. Those of the last day that
/// lie in the future are left out.
pub(super) fn moments(all: usize, hours: &[usize; 24], seed: u64) -> Vec<i64> {
    let mut dice = Dice::new(seed);
    let today = clock::now().date();
    let weights: Vec<usize> = FIRST
        .series(1.day())
        .take_while(|day| *day <= today)
        .map(weight)
        .collect();
    let whole: usize = weights.iter().sum();
    let within: usize = hours.iter().sum();
    let mut moments = Vec::with_capacity(all);
    let mut before = 0;
    for (day, weight) in weights.iter().enumerate() {
        let count = all * (before + weight) / whole - all * before / whole;
        before += weight;
        for number in 0..count {
            // A place on the scale of weights: evenly, each somewhere within its share.
            let mut place = (number * 1000 + dice.below(1000)) * within / (count * 1000);
            let hour = hours.iter().position(|weight| match place.checked_sub(*weight) {
                Some(rest) => {
                    place = rest;
                    false
                }
                None => true,
            });
            let hour = hour.expect("a place below the sum lies in an hour");
            let second = (place * 3600 + dice.below(3600)) / hours[hour];
            moments.push(day as i64 * DAY + hour as i64 * 3600 + second as i64);
        }
    }
    moments.sort_unstable();
    moments.retain(|at| *at < *NOW);
    moments
}

/// October is the busy month, Monday the busy day; on public holidays nobody is there.
fn weight(day: Date) -> usize {
    let month = match day.month() {
        6 => 60,
        7 => 45,
        8 => 50,
        9 => 80,
        10 => 150,
        _ => 110,
    };
    let weekday = match day.weekday() {
        Weekday::Monday => 130,
        Weekday::Tuesday => 110,
        Weekday::Wednesday => 100,
        Weekday::Thursday => 95,
        Weekday::Friday => 85,
        Weekday::Saturday => 12,
        Weekday::Sunday => 4,
    };
    let holiday = matches!((day.month(), day.day()), (7, 6) | (9, 28) | (10, 28) | (11, 17));
    if holiday { 0 } else { month * weekday }
}

/// The moment at which the story stands still.
pub(super) static NOW: LazyLock<i64> = LazyLock::new(|| clock::now().duration_since(FIRST.at(0, 0, 0, 0)).as_secs());

pub(super) fn civil(at: i64) -> DateTime {
    clock::after(FIRST.at(0, 0, 0, 0), at)
}

/// As the wire has it. Days are written once, since there are hundreds of thousands of times.
pub(super) fn text(at: i64) -> String {
    static DAYS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let days = FIRST.series(1.day()).take_while(|day| *day <= LAST);
        days.map(|day| day.to_string()).collect()
    });
    let second = at.rem_euclid(DAY);
    let mut text = String::with_capacity(19);
    text.push_str(&DAYS[at.div_euclid(DAY) as usize]);
    for (mark, number) in [(' ', second / 3600), (':', second / 60 % 60), (':', second % 60)] {
        text.push(mark);
        text.push((b'0' + (number / 10) as u8) as char);
        text.push((b'0' + (number % 10) as u8) as char);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_clock_writes_them() {
        for at in [0, 59, 3661, 40 * DAY + 12_345, *NOW] {
            assert_eq!(text(at), clock::text(civil(at)));
        }
        assert_eq!(text(*NOW), crate::NOW);
    }

    #[test]
    fn moments_are_ordered_and_past() {
        let moments = moments(10_000, &HOURS_OF_CALLS, 2);
        assert!(moments.is_sorted() && moments.len() > 9_900);
        assert!(moments.iter().all(|at| (0..*NOW).contains(at)));
        let at_night = moments.iter().filter(|at| !(7..20).contains(&(*at % DAY / 3600)));
        assert_eq!(at_night.count(), 0);
    }
}
