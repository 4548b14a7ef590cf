//! Byte budget of a page: how many records fit, and how far their long texts have to be shortened.

/// By how much long texts are shortened, in steps; 0 leaves them out.
const DIVISORS: [usize; 4] = [1, 3, 10, 0];

/// What of a page fits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fit {
    /// How many records are shown, at least one.
    pub(crate) shown: usize,
    /// By how much their texts are shortened.
    pub(crate) divisor: usize,
    /// Not even the first record fits as it is.
    pub(crate) is_first_too_large: bool,
}

/// How many of `count` records fit. `size` gives a record's bytes by its place, with its texts shortened by a divisor; it is asked in
/// order, for no divisor unless there is too little room with those before it, and not beyond what fits.
///
/// With `shorten_texts` texts are shortened before records are left out; without it records are left out.
pub(crate) fn fit(count: usize, mut size: impl FnMut(usize, usize) -> usize, room: usize, shorten_texts: bool) -> Fit {
    let divisors = if shorten_texts { &DIVISORS[..] } else { &DIVISORS[..1] };
    let mut fit = Fit {
        shown: 1,
        divisor: 1,
        is_first_too_large: true,
    };
    for &divisor in divisors {
        let mut left = room;
        let fitting = (0..count)
            .take_while(|&at| {
                let rest = left.checked_sub(size(at, divisor));
                left = rest.unwrap_or_default();
                rest.is_some()
            })
            .count();
        fit = Fit {
            shown: fitting.max(1),
            divisor,
            is_first_too_large: fitting == 0,
        };
        if fitting == count {
            break;
        }
    }
    fit
}

/// The largest limit of text length with which a record fits, by bisection; 0 where none does.
pub(crate) fn largest_limit(room: usize, size: impl Fn(usize) -> usize) -> usize {
    let (mut fits, mut exceeds) = (0, room.max(1));
    while exceeds - fits > 1 {
        let middle = fits.midpoint(exceeds);
        if size(middle) <= room {
            fits = middle;
        } else {
            exceeds = middle;
        }
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_shortened_before_records_are_left_out() {
        let size = |_, divisor| match divisor {
            1 => 100,
            3 => 50,
            10 => 20,
            _ => 10,
        };
        let fit_in = |room, shorten| {
            let Fit {
                shown,
                divisor,
                is_first_too_large,
            } = fit(4, size, room, shorten);
            (shown, divisor, is_first_too_large)
        };
        assert_eq!(fit_in(400, true), (4, 1, false));
        assert_eq!(fit_in(399, true), (4, 3, false));
        assert_eq!(fit_in(40, true), (4, 0, false));
        assert_eq!(fit_in(39, true), (3, 0, false));
        assert_eq!(fit_in(9, true), (1, 0, true));
        assert_eq!(fit_in(399, false), (3, 1, false));
        assert_eq!(fit_in(99, false), (1, 1, true));
    }

    #[test]
    fn no_size_is_computed_beyond_what_fits() {
        let mut computed = Vec::new();
        let size = |at, divisor| {
            computed.push((at, divisor));
            if divisor == 1 { 100 } else { 10 }
        };
        assert_eq!(fit(4, size, 250, true).shown, 4);
        assert_eq!(computed, [(0, 1), (1, 1), (2, 1), (0, 3), (1, 3), (2, 3), (3, 3)]);
    }

    #[test]
    fn a_text_is_as_long_as_fits() {
        assert_eq!(largest_limit(100, |limit| 20 + limit), 80);
        assert_eq!(largest_limit(10, |limit| 20 + limit), 0);
    }
}
