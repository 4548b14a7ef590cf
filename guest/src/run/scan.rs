//! Scan: all records of a query, page after page, each folded and dropped, within limits; several pages at once from the oldest on, or one
//! after another from the newest on where each takes further reads.
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
    /// The parts of the whole that are used up or left to what is read next.
    ceiling: Ceiling,
}

/// Up to where a scan may use the limits of its call.
struct Ceiling {
    rows: u64,
    requests: u64,
    bytes: u64,
    milliseconds: u64,
}

/// Pages whose rows are long texts, so that no answer of the instance is too large.
pub(crate) const PAGE_OF_TEXTS: u64 = 200;

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

/// Takes the rows of a page into what a scan makes of them; returns how many of them count.
type PageFold<'a, S> = dyn FnMut(&mut S, &[Value]) -> Result<usize, Error> + 'a;

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
            ceiling: Ceiling {
                rows: context.settings.scan.rows,
                requests: context.settings.scan.requests,
                bytes: context.settings.scan.bytes,
                milliseconds: context.settings.scan.seconds.saturating_mul(1000),
            },
        }
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Leaves to what is read next its share of what is left, where so many kinds of records are still to be read, this one among them.
    pub(crate) fn share(&mut self, kinds: u64) {
        let (requests, bytes) = self.context.client.traffic();
        let of = |used: u64, limit: u64| used + limit.saturating_sub(used).div_ceil(kinds.max(1));
        self.ceiling = Ceiling {
            rows: of(self.rows, self.limits.rows),
            requests: of(requests, self.limits.requests),
            bytes: of(bytes, self.limits.bytes),
            milliseconds: of(self.milliseconds(), self.limits.seconds.saturating_mul(1000)),
        };
    }

    /// The limit that is reached.
    pub(crate) fn exhausted(&self) -> Option<Stop> {
        let (requests, bytes) = self.context.client.traffic();
        let Ceiling { rows, .. } = self.ceiling;
        if self.rows >= rows {
            Some(Stop::Rows)
        } else if requests >= self.ceiling.requests {
            Some(Stop::Requests)
        } else if bytes >= self.ceiling.bytes {
            Some(Stop::Bytes)
        } else if self.milliseconds() >= self.ceiling.milliseconds {
            Some(Stop::Time)
        } else {
            None
        }
    }

    /// How many requests are left.
    pub(crate) fn requests_left(&self) -> u64 {
        self.ceiling.requests.saturating_sub(self.context.client.traffic().0)
    }

    /// Hands over the pages of a query, which is sorted by `time` with the newest first, one after another; rows that a page before had are
    /// left out, since records that come meanwhile shift them. `fold` takes rows and says how many of them it did: fewer where a limit ended
    /// it. No page has more than `size` rows, and the first one not more than [`FIRST_PAGE`].
    pub(crate) fn newest(
        &mut self,
        query: &Query,
        key: &str,
        time: &str,
        size: u64,
        fold: &mut PageFold<'_, Self>,
    ) -> Result<Scanned, Error> {
        let mut out = Scanned::default();
        let mut known: Vec<String> = Vec::new();
        let (mut skip, mut take) = (0, FIRST_PAGE.min(size));
        loop {
            if let Some(stop) = self.exhausted() {
                out.stop = Some(stop);
                return Ok(out);
            }
            let take_now = take.min(self.ceiling.rows - self.rows);
            let page = self.context.client.read_page(&Query {
                skip,
                take: take_now,
                ..query.clone()
            })?;
            let received = page.received() as u64;
            self.requests += 1;
            self.rows += received;
            skip += received;
            out.total = page.total.or(out.total);
            let id = |row: &Value| value::text_at(row, key).unwrap_or_default();
            let ids: Vec<String> = page.rows.iter().map(id).collect();
            let rows: Vec<Value> = page.rows.into_iter().filter(|row| !known.contains(&id(row))).collect();
            known = ids;
            let done = fold(self, &rows)?;
            out.read += done as u64;
            if let Some(last) = rows[..done].last() {
                out.until = value::text_at(last, time);
            }
            if done < rows.len() {
                out.stop = Some(self.exhausted().unwrap_or(Stop::Requests));
                return Ok(out);
            }
            if received == 0 || out.total.map_or(received < take_now, |total| skip >= total) {
                out.total = out.total.or(Some(out.read));
                return Ok(out);
            }
            take = if received < take_now { received } else { size };
        }
    }

    /// What time it is at the instance, as the last answer said it.
    pub(crate) fn clock(&self) -> Clock {
        Clock {
            now: self.context.client.now(),
            zone: self.context.client.zone(),
        }
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
        let mut rows = self.ceiling.rows.saturating_sub(self.rows);
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
        if !self.has_room(out) {
            ranges.clear();
        }
        out.stop.is_none()
    }

    /// Whether bytes and time are left.
    fn has_room(&self, out: &mut Scanned) -> bool {
        let stop = self.exhausted();
        out.stop = stop
            .filter(|stop| matches!(stop, Stop::Bytes | Stop::Time))
            .or(out.stop);
        !matches!(stop, Some(Stop::Bytes | Stop::Time))
    }

    fn read(&mut self, queries: &[Query], is_plain: bool, take: &mut TakePage<Self>) {
        let client = &self.context.client;
        if is_plain {
            client.read_each(queries, &mut |i, page| {
                self.requests += 1;
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

    /// Counts the records of each of these queries, without reading them; nothing where the build does not say or one could
    /// not be counted. What is then read instead tells of the error.
    pub(crate) fn counts(&mut self, queries: &[Query]) -> Option<Vec<u64>> {
        self.requests += queries.len() as u64;
        let pages = self.context.client.read_pages(queries);
        pages.into_iter().map(|page| page.ok()?.total).collect()
    }

    /// What a scan that ended before all was read leaves out, and which call is whole; nothing for one that did not.
    pub(crate) fn left_out(&self, scanned: &Scanned, plural: &str, is_by_date: bool) -> Option<String> {
        let stop = scanned.stop?;
        let limit = stop.said(&self.limits);
        let of = scanned
            .total
            .map_or_else(String::new, |total| format!(" of {}", text::thousands(total)));
        let mut out = format!(
            "Only {}{of} {plural} were read, since one call reads at most {}.",
            text::thousands(scanned.read),
            limit
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

    /// What a scan from the newest on did not reach of a kind of records, and which call is whole, with `alone`, an argument that leaves out other
    /// kinds; nothing for one that came to its end.
    pub(crate) fn not_reached(&self, scanned: &Scanned, plural: &str, alone: Option<&str>) -> Option<String> {
        let limit = scanned.stop?.said(&self.limits);
        let of = match scanned.total {
            Some(total) => format!(" of {}", text::thousands(total)),
            None => String::new(),
        };
        let shared = if alone.is_some() { ", shared by all kinds" } else { "" };
        let with = alone.map(|alone| format!("{alone} and ")).unwrap_or_default();
        let reached = match scanned.read {
            0 => format!("none{of} of the {plural}"),
            read => format!("the newest {}{of} {plural}", text::thousands(read)),
        };
        Some(match (&scanned.until, alone) {
            (Some(until), _) => format!(
                "{reached}, back to {until}, since one call reads at most {limit}{shared}. The same call with {with}date_from={} is whole for them; one with \
                 {with}date_to={until} goes on from there",
                time::later(until, 1).unwrap_or_else(|| until.clone()),
            ),
            (None, Some(alone)) => format!(
                "{reached}, since one call reads at most {limit}{shared}. The same call with {alone} reads them"
            ),
            (None, None) => {
                format!("{reached}, since one call reads at most {limit}. Rarer or more words make the answer whole")
            }
        })
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
