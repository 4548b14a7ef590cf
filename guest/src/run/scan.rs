//! Scan: all records of a query, page after page, several at once, each folded and dropped, within limits.
//!
//! The order is by time and then by id, the oldest first, so that records which come meanwhile stand behind all others and no
//! page shifts. The first page is small: it tells how many there are and whether the build takes the query as it is.

use std::time::Instant;

use serde_json::Value;

use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{Query, TAKE_MAX},
    },
    model::{context::Context, filter::Clock},
    settings::ScanLimits,
    text, time, value,
};

/// As large as the largest page of a list, so that what it takes is known to be little.
pub(crate) const FIRST_PAGE: u64 = 200;

/// What all scans of one call have used of its limits.
pub(crate) struct Scanner<'a> {
    context: &'a Context<'a>,
    limits: ScanLimits,
    started: Instant,
    pub(crate) rows: u64,
    pub(crate) requests: u64,
    bytes: u64,
}

/// The first page of a scan.
pub(crate) struct First {
    pub(crate) page: Page,
    /// As it was taken.
    query: Query,
    is_plain: bool,
}

/// How far a scan went.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    /// How many match, where the build says so or all were read.
    pub(crate) total: Option<u64>,
    pub(crate) read: u64,
    /// The limit at which it ended before all were read.
    pub(crate) stop: Option<Stop>,
    /// The time of the last record that was read, where it ended so and all records before were read.
    pub(crate) until: Option<String>,
}

/// A limit of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Rows,
    Requests,
    Bytes,
    Time,
}

impl Stop {
    fn said(self, limits: &ScanLimits) -> String {
        let number = text::thousands;
        match self {
            Stop::Rows => format!("{} records (DAKTELA_MAX_SCAN_ROWS)", number(limits.rows)),
            Stop::Requests => format!("{} requests (DAKTELA_MAX_SCAN_REQUESTS)", number(limits.requests)),
            Stop::Bytes => format!("{} bytes (DAKTELA_MAX_SCAN_BYTES)", number(limits.bytes)),
            Stop::Time => format!("{} seconds (DAKTELA_MAX_SCAN_SECONDS)", number(limits.seconds)),
        }
    }
}

/// What is done with each page as it comes, by its index; false where no more are wanted.
type TakePage<'a, Of> = dyn FnMut(&mut Of, usize, Result<Page, Error>) -> bool + 'a;

/// Records from `skip` on.
#[derive(Clone, Copy)]
struct Range {
    skip: u64,
    take: u64,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(context: &'a Context<'a>) -> Self {
        Scanner {
            context,
            limits: context.settings.scan,
            started: Instant::now(),
            rows: 0,
            requests: 0,
            bytes: 0,
        }
    }

    /// What time it is at the instance, as the last answer said it.
    pub(crate) fn clock(&self) -> Clock {
        Clock {
            now: self.context.client.now(),
            zone: self.context.client.zone(),
        }
    }

    pub(crate) fn requests_left(&self) -> u64 {
        self.limits.requests.saturating_sub(self.requests)
    }

    /// The first page of a query, with all fallbacks for builds that differ. An error where the build passes over a condition:
    /// what it would count is not what was asked.
    pub(crate) fn first(&mut self, query: &Query) -> Result<First, Error> {
        let query = Query {
            skip: 0,
            take: FIRST_PAGE,
            ..query.clone()
        };
        let (page, is_plain) = self.context.client.read_first(&query);
        self.requests += 1;
        Ok(First {
            page: page?,
            query,
            is_plain,
        })
    }

    /// Folds the records of a first page and of all that follow. `fold` is given each with its place among all; pages come in
    /// any order. `time` is the field by which they are sorted, if it is one.
    pub(crate) fn rest(
        &mut self,
        first: First,
        time: Option<&str>,
        fold: &mut dyn FnMut(u64, &Value),
    ) -> Result<Scanned, Error> {
        let First { page, query, is_plain } = first;
        let got = page.rows.len() as u64;
        let mut out = Scanned {
            total: page.total,
            ..Scanned::default()
        };
        let mut last = String::new();
        let mut take = |out: &mut Scanned, skip: u64, rows: &[Value]| {
            for (place, row) in (skip..).zip(rows) {
                if let Some(at) = time.and_then(|time| value::text_at(row, time)).filter(|at| *at > last) {
                    last = at;
                }
                fold(place, row);
            }
            out.read += rows.len() as u64;
        };
        take(&mut out, 0, &page.rows);
        self.rows += got;
        drop(page);
        let is_short = got < FIRST_PAGE;
        if got == 0 || out.total.map_or(is_short, |total| total <= got) {
            out.total = out.total.or(Some(got));
            return Ok(out);
        }
        // An instance may give less at once than was asked for, and whole related records make large pages.
        let size = match (is_short, is_plain) {
            (true, _) => got,
            (false, true) => TAKE_MAX,
            (false, false) => FIRST_PAGE,
        };
        let mut next = got;
        let mut size = size;
        let mut gaps: Vec<Range> = Vec::new();
        // Where the number is not known, more and more pages are tried until one is short.
        let mut at_once = 1;
        loop {
            let mut ranges = std::mem::take(&mut gaps);
            let end = out.total.unwrap_or(next + at_once * size);
            while next < end {
                ranges.push(Range {
                    skip: next,
                    take: size.min(end - next),
                });
                next += size;
            }
            next = next.min(end);
            if ranges.is_empty() {
                break;
            }
            let allowed = self.allowed(&mut ranges, &mut out);
            let queries: Vec<Query> = ranges
                .iter()
                .map(|range| Query {
                    skip: range.skip,
                    take: range.take,
                    ..query.clone()
                })
                .collect();
            let mut failed = None;
            let mut done = 0;
            let mut smallest = size;
            let mut is_end = false;
            self.read(&queries, is_plain, &mut |scanner, i, page| {
                done += 1;
                let page = match page {
                    Ok(page) => page,
                    Err(error) => {
                        failed.get_or_insert(error);
                        return false;
                    }
                };
                let Range { skip, take: asked } = ranges[i];
                let got = page.rows.len() as u64;
                take(&mut out, skip, &page.rows);
                scanner.rows += got;
                if got < asked {
                    if out.total.is_none() || got == 0 {
                        is_end = true;
                    } else {
                        smallest = smallest.min(got);
                        gaps.push(Range {
                            skip: skip + got,
                            take: asked - got,
                        });
                    }
                }
                scanner.has_room(&mut out)
            });
            if let Some(error) = failed {
                return Err(error);
            }
            if done == ranges.len() && allowed {
                out.stop = None;
            }
            if out.stop.is_some() {
                // What was sent are the first ones, unless one of them fell short.
                out.until = (gaps.is_empty() && !last.is_empty()).then_some(last);
                return Ok(out);
            }
            if out.total.is_none() && is_end {
                break;
            }
            size = smallest;
            at_once = (at_once * 2).min(8);
        }
        out.total = out.total.or(Some(out.read));
        Ok(out)
    }

    /// Leaves out the ranges beyond the limits of rows and requests. Returns whether none was.
    fn allowed(&self, ranges: &mut Vec<Range>, out: &mut Scanned) -> bool {
        let sum = |ranges: &[Range]| ranges.iter().map(|range| range.take).sum::<u64>();
        let all = sum(ranges);
        let mut rows = self.limits.rows.saturating_sub(self.rows);
        ranges.retain_mut(|range| {
            range.take = range.take.min(rows);
            rows -= range.take;
            range.take > 0
        });
        if sum(ranges) < all {
            out.stop = Some(Stop::Rows);
        }
        let requests = usize::try_from(self.requests_left()).unwrap_or(usize::MAX);
        if ranges.len() > requests {
            ranges.truncate(requests);
            out.stop = Some(Stop::Requests);
        }
        out.stop.is_none()
    }

    fn has_room(&self, out: &mut Scanned) -> bool {
        if self.bytes > self.limits.bytes {
            out.stop = Some(Stop::Bytes);
        } else if self.started.elapsed().as_secs() >= self.limits.seconds {
            out.stop = Some(Stop::Time);
        } else {
            return true;
        }
        false
    }

    fn read(&mut self, queries: &[Query], is_plain: bool, take: &mut TakePage<Self>) {
        let client = &self.context.client;
        if is_plain {
            client.read_each(queries, &mut |i, page, bytes| {
                self.requests += 1;
                self.bytes += bytes as u64;
                take(self, i, page)
            });
            return;
        }
        for (i, query) in queries.iter().enumerate() {
            self.requests += 1;
            if !take(self, i, client.read_page(query)) {
                return;
            }
        }
    }

    /// Counts the records of each of these queries, without reading them; nothing where the build does not say.
    pub(crate) fn counts(&mut self, queries: &[Query]) -> Option<Vec<u64>> {
        self.requests += queries.len() as u64;
        let pages = self.context.client.read_pages(queries);
        pages.into_iter().map(|page| page.ok()?.total).collect()
    }

    /// What a scan that ended before all was read leaves out, and which call is whole; nothing for one that did not.
    pub(crate) fn left_out(&self, scanned: &Scanned, plural: &str, is_by_date: bool) -> Option<String> {
        let stop = scanned.stop?;
        let of = scanned
            .total
            .map_or_else(String::new, |total| format!(" of {}", text::thousands(total)));
        let mut out = format!(
            "Only {}{of} {plural} were read, since one call reads at most {}.",
            text::thousands(scanned.read),
            stop.said(&self.limits)
        );
        match (&scanned.until, is_by_date) {
            (Some(until), true) => {
                let before = time::later(until, -1).unwrap_or_else(|| until.clone());
                out += &format!(
                    " They are the oldest ones, until {until}. The same call with date_to={before} is whole; one with date_from={until} goes on from there."
                );
            }
            _ => out += " Shorter periods (date_from, date_to) or more conditions make the answer whole.",
        }
        Some(out)
    }

    /// Says so where more or fewer records were read than Daktela counted.
    pub(crate) fn changed(scanned: &Scanned) -> Option<String> {
        let total = scanned
            .total
            .filter(|total| scanned.stop.is_none() && *total != scanned.read)?;
        Some(format!(
            "Daktela counted {} and sent {}: some came or went while they were read.",
            text::thousands(total),
            text::thousands(scanned.read)
        ))
    }
}
