//! Byte budget of a page: how many records fit, and how far their long texts have to be shortened.

/// By how much long texts are shortened, in steps; 0 leaves them out.
pub(crate) const DIVISORS: [usize; 4] = [1, 3, 10, 0];

/// The size of a record in bytes with its texts shortened by each of [`DIVISORS`].
pub(crate) type Sizes = [usize; DIVISORS.len()];

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

/// Takes records until no divisor leaves room for more, so that sizes beyond that are never computed.
///
/// With `shorten_texts` texts are shortened before records are left out; without it records are left out.
pub(crate) fn fit(sizes: impl Iterator<Item = Sizes>, room: usize, shorten_texts: bool) -> Fit {
    let steps = if shorten_texts { DIVISORS.len() } else { 1 };
    let mut used = [0; DIVISORS.len()];
    let mut fitting = [0; DIVISORS.len()];
    for (i, sizes) in sizes.enumerate() {
        for step in 0..steps {
            used[step] += sizes[step];
            if used[step] <= room {
                fitting[step] = i + 1;
            }
        }
        if used[..steps].iter().all(|used| *used > room) {
            break;
        }
    }
    let step = (0..steps).find(|&step| used[step] <= room).unwrap_or(steps - 1);
    Fit {
        shown: fitting[step].max(1),
        divisor: DIVISORS[step],
        is_first_too_large: fitting[step] == 0,
    }
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
        let page = || [[100, 50, 20, 10]; 4].into_iter();
        let fit_in = |room, shorten| {
            let Fit {
                shown,
                divisor,
                is_first_too_large,
            } = fit(page(), room, shorten);
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
        let mut computed = 0;
        let page = std::iter::repeat_with(|| {
            computed += 1;
            [100; 4]
        });
        assert_eq!(fit(page, 250, true).shown, 2);
        assert_eq!(computed, 3);
    }

    #[test]
    fn a_text_is_as_long_as_fits() {
        assert_eq!(largest_limit(100, |limit| 20 + limit), 80);
        assert_eq!(largest_limit(10, |limit| 20 + limit), 0);
    }
}
