//! Sizes of the components. A host loads them over a network or from a registry, and compiles them.

use std::fs;

use crate::golden;

/// The largest that a component may become without a reason beside it. Of this, statistics, search and the other tools with logic of
/// their own take 350 KB, compatibility fallbacks 150 KB, HTML and mail 110 KB, tables of calling codes, entities and Unicode 70 KB;
/// names of functions for traps take 185 KB.
const BYTES_MAX: u64 = 2_200_000;

/// How far a size may be from its golden number. The compilers that are supported differ: those of 1.99.1 are 2 to 3 % larger
/// than those of 1.95.
const TOLERANCE_PERCENT: u64 = 5;

#[test]
fn the_sizes_of_the_components_are_golden_numbers() {
    let components = [
        ("daktela-plugin", daktela_test_guests::PLUGIN),
        ("daktela-http", daktela_test_guests::HTTP_ADAPTER),
        ("daktela-wassette", daktela_test_guests::WASSETTE_ADAPTER),
        ("daktela-act", daktela_test_guests::ACT_ADAPTER),
    ];
    let path = golden::folder().join("golden/component-bytes.txt");
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let mut actual = String::new();
    for (name, file) in components {
        let file = file.replace(".cwasm", ".wasm");
        let bytes = fs::metadata(&file).expect("a component").len();
        assert!(bytes < BYTES_MAX, "{name} has {bytes} bytes, and no reason stands here");
        let golden = expected
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
        let kept = golden.filter(|golden| bytes.abs_diff(*golden) * 100 <= golden * TOLERANCE_PERCENT);
        actual += &format!("{name} {}\n", kept.unwrap_or(bytes));
    }
    golden::assert_eq(&path, &actual);
}
