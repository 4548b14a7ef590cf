//! Unicode normalization for the scripts that people's names are written in: canonical composition (NFC) of Latin, Greek,
//! Cyrillic, kana, Hangul and Arabic, and case and accent folding for comparison.
//!
//! The tables of the crate `unicode-normalization` cover all scripts and would add 142 KB to a component of 887 KB; these
//! are 5 KB, and a test compares them with that crate.

use std::{borrow::Cow, sync::LazyLock};

use crate::sort;

/// Combining marks, each with the pairs of a letter and the letter that carries the mark.
#[rustfmt::skip]
const MARKED: &[(char, &str)] = &[
    (
        '\u{300}',
        "AÀEÈIÌOÒUÙaàeèiìoòuùÜǛüǜNǸnǹЕЀИЍеѐиѝĒḔēḕŌṐōṑWẀwẁÂẦâầĂẰăằÊỀêềÔỒôồƠỜơờƯỪưừ\
         YỲyỳἀἂἁἃἈἊἉἋἐἒἑἓἘἚἙἛἠἢἡἣἨἪἩἫἰἲἱἳἸἺἹἻὀὂὁὃὈὊὉὋὐὒὑὓὙὛὠὢὡὣὨὪὩὫαὰεὲηὴιὶοὸυὺωὼ\
         ΑᾺΕῈΗῊ᾿῍ϊῒΙῚ῾῝ϋῢΥῪ¨῭ΟῸΩῺ",
    ),
    (
        '\u{301}',
        "AÁEÉIÍOÓUÚYÝaáeéiíoóuúyýCĆcćLĹlĺNŃnńRŔrŕSŚsśZŹzźÜǗüǘGǴgǵÅǺåǻÆǼæǽØǾøǿ¨΅ΑΆ\
         ΕΈΗΉΙΊΟΌΥΎΩΏϊΐαάεέηήιίϋΰοόυύωώϒϓГЃКЌгѓкќÇḈçḉĒḖēḗÏḮïḯKḰkḱMḾmḿÕṌõṍŌṒōṓPṔpṕ\
         ŨṸũṹWẂwẃÂẤâấĂẮăắÊẾêếÔỐôốƠỚơớƯỨưứἀἄἁἅἈἌἉἍἐἔἑἕἘἜἙἝἠἤἡἥἨἬἩἭἰἴἱἵἸἼἹἽὀὄὁὅὈὌὉὍ\
         ὐὔὑὕὙὝὠὤὡὥὨὬὩὭ᾿῎῾῞",
    ),
    ('\u{302}', "AÂEÊIÎOÔUÛaâeêiîoôuûCĈcĉGĜgĝHĤhĥJĴjĵSŜsŝWŴwŵYŶyŷZẐzẑẠẬạậẸỆẹệỌỘọộ"),
    ('\u{303}', "AÃNÑOÕaãnñoõIĨiĩUŨuũVṼvṽÂẪâẫĂẴăẵEẼeẽÊỄêễÔỖôỗƠỠơỡƯỮưữYỸyỹ"),
    (
        '\u{304}',
        "AĀaāEĒeēIĪiīOŌoōUŪuūÜǕüǖÄǞäǟȦǠȧǡÆǢæǣǪǬǫǭÖȪöȫÕȬõȭȮȰȯȱYȲyȳИӢиӣУӮуӯGḠgḡḶḸḷḹ\
         ṚṜṛṝαᾱΑᾹιῑΙῙυῡΥῩ",
    ),
    ('\u{306}', "AĂaăEĔeĕGĞgğIĬiĭOŎoŏUŬuŭУЎИЙийуўЖӁжӂАӐаӑЕӖеӗȨḜȩḝẠẶạặαᾰΑᾸιῐΙῘυῠΥῨ"),
    (
        '\u{307}',
        "CĊcċEĖeėGĠgġIİZŻzżAȦaȧOȮoȯBḂbḃDḊdḋFḞfḟHḢhḣMṀmṁNṄnṅPṖpṗRṘrṙSṠsṡŚṤśṥŠṦšṧṢṨ\
         ṣṩTṪtṫWẆwẇXẊxẋYẎyẏſẛ",
    ),
    (
        '\u{308}',
        "AÄEËIÏOÖUÜaäeëiïoöuüyÿYŸΙΪΥΫιϊυϋϒϔЕЁІЇеёіїАӒаӓӘӚәӛЖӜжӝЗӞзӟИӤиӥОӦоӧӨӪөӫЭӬ\
         эӭУӰуӱЧӴчӵЫӸыӹHḦhḧÕṎõṏŪṺūṻWẄwẅXẌxẍtẗ",
    ),
    ('\u{309}', "AẢaảÂẨâẩĂẲăẳEẺeẻÊỂêểIỈiỉOỎoỏÔỔôổƠỞơởUỦuủƯỬưửYỶyỷ"),
    ('\u{30a}', "AÅaåUŮuůwẘyẙ"),
    ('\u{30b}', "OŐoőUŰuűУӲуӳ"),
    (
        '\u{30c}',
        "CČcčDĎdďEĚeěLĽlľNŇnňRŘrřSŠsšTŤtťZŽzžAǍaǎIǏiǐOǑoǒUǓuǔÜǙüǚGǦgǧKǨkǩƷǮʒǯjǰHȞ\
         hȟ",
    ),
    ('\u{30f}', "AȀaȁEȄeȅIȈiȉOȌoȍRȐrȑUȔuȕѴѶѵѷ"),
    ('\u{311}', "AȂaȃEȆeȇIȊiȋOȎoȏRȒrȓUȖuȗ"),
    ('\u{313}', "αἀΑἈεἐΕἘηἠΗἨιἰΙἸοὀΟὈυὐωὠΩὨρῤ"),
    ('\u{314}', "αἁΑἉεἑΕἙηἡΗἩιἱΙἹοὁΟὉυὑΥὙωὡΩὩρῥΡῬ"),
    ('\u{31b}', "OƠoơUƯuư"),
    (
        '\u{323}',
        "BḄbḅDḌdḍHḤhḥKḲkḳLḶlḷMṂmṃNṆnṇRṚrṛSṢsṣTṬtṭVṾvṿWẈwẉZẒzẓAẠaạEẸeẹIỊiịOỌoọƠỢơợ\
         UỤuụƯỰưựYỴyỵ",
    ),
    ('\u{324}', "UṲuṳ"),
    ('\u{325}', "AḀaḁ"),
    ('\u{326}', "SȘsșTȚtț"),
    ('\u{327}', "CÇcçGĢgģKĶkķLĻlļNŅnņRŖrŗSŞsşTŢtţEȨeȩDḐdḑHḨhḩ"),
    ('\u{328}', "AĄaąEĘeęIĮiįUŲuųOǪoǫ"),
    ('\u{32d}', "DḒdḓEḘeḙLḼlḽNṊnṋTṰtṱUṶuṷ"),
    ('\u{32e}', "HḪhḫ"),
    ('\u{330}', "EḚeḛIḬiḭUṴuṵ"),
    ('\u{331}', "BḆbḇDḎdḏKḴkḵLḺlḻNṈnṉRṞrṟTṮtṯZẔzẕhẖ"),
    ('\u{342}', "ἀἆἁἇἈἎἉἏἠἦἡἧἨἮἩἯἰἶἱἷἸἾἹἿὐὖὑὗὙὟὠὦὡὧὨὮὩὯαᾶ¨῁ηῆ᾿῏ιῖϊῗ῾῟υῦϋῧωῶ"),
    (
        '\u{345}',
        "ἀᾀἁᾁἂᾂἃᾃἄᾄἅᾅἆᾆἇᾇἈᾈἉᾉἊᾊἋᾋἌᾌἍᾍἎᾎἏᾏἠᾐἡᾑἢᾒἣᾓἤᾔἥᾕἦᾖἧᾗἨᾘἩᾙἪᾚἫᾛἬᾜἭᾝἮᾞἯᾟὠᾠὡᾡὢᾢὣᾣ\
         ὤᾤὥᾥὦᾦὧᾧὨᾨὩᾩὪᾪὫᾫὬᾬὭᾭὮᾮὯᾯὰᾲαᾳάᾴᾶᾷΑᾼὴῂηῃήῄῆῇΗῌὼῲωῳώῴῶῷΩῼ",
    ),
    ('\u{653}', "اآ"),
    ('\u{654}', "اأوؤيئەۀہۂےۓ"),
    ('\u{655}', "اإ"),
    (
        '\u{3099}',
        "かがきぎくぐけげこごさざしじすずせぜそぞただちぢつづてでとどはばひびふぶへべほぼうゔゝゞカガキギクグケゲコゴサザシジスズセゼソゾタダチヂツヅテデ\
         トドハバヒビフブヘベホボウヴワヷヰヸヱヹヲヺヽヾ",
    ),
    ('\u{309a}', "はぱひぴふぷへぺほぽハパヒピフプヘペホポ"),
];

struct Tables {
    /// Composed letter, letter, mark; by the composed letter.
    decomposed: Vec<(char, char, char)>,
    /// Letter, mark, composed letter; by letter and mark.
    composed: Vec<(char, char, char)>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut decomposed = Vec::new();
    for (mark, pairs) in MARKED {
        let mut letters = pairs.chars();
        while let (Some(letter), Some(composed)) = (letters.next(), letters.next()) {
            decomposed.push((composed, letter, *mark));
        }
    }
    let mut composed: Vec<(char, char, char)> = decomposed.iter().map(|&(c, letter, mark)| (letter, mark, c)).collect();
    sort::sort_by_key(&mut decomposed, |pair| *pair);
    sort::sort_by_key(&mut composed, |pair| *pair);
    Tables { decomposed, composed }
});

/// A letter and its last mark: `ế` is `ê` and an acute.
fn decompose(c: char) -> Option<(char, char)> {
    // Nothing below is composed, and most text is.
    if c < '\u{c0}' {
        return None;
    }
    let table = &TABLES.decomposed;
    let at = table.binary_search_by_key(&c, |(composed, ..)| *composed).ok()?;
    Some((table[at].1, table[at].2))
}

fn compose(letter: char, mark: char) -> Option<char> {
    let table = &TABLES.composed;
    let at = table.binary_search_by_key(&(letter, mark), |&(letter, mark, _)| (letter, mark));
    at.ok().map(|at| table[at].2)
}

/// The canonical combining class: marks of one class keep their order, the rest is ordered by it. `None` for what is no
/// mark of these scripts.
fn class(mark: char) -> Option<u8> {
    Some(match mark {
        '\u{334}'..='\u{338}' => 1,
        '\u{3099}' | '\u{309a}' => 8,
        '\u{321}' | '\u{322}' | '\u{327}' | '\u{328}' => 202,
        '\u{31b}' => 216,
        '\u{316}'..='\u{319}' | '\u{31c}'..='\u{320}' | '\u{323}'..='\u{326}' | '\u{329}'..='\u{333}' => 220,
        '\u{339}'..='\u{33c}' | '\u{347}'..='\u{349}' | '\u{34d}' | '\u{34e}' | '\u{353}'..='\u{356}' => 220,
        '\u{359}' | '\u{35a}' | '\u{655}' => 220,
        '\u{315}' | '\u{31a}' | '\u{358}' => 232,
        '\u{35c}' | '\u{35f}' | '\u{362}' => 233,
        '\u{35d}' | '\u{35e}' | '\u{360}' | '\u{361}' => 234,
        '\u{345}' => 240,
        '\u{34f}' => return None,
        '\u{300}'..='\u{36f}' | '\u{653}' | '\u{654}' => 230,
        _ => return None,
    })
}

/// The text with each letter and its marks as one character where there is one (NFC): `Nova\u{301}k` → `Novák`. Daktela and
/// programs compare by characters, and macOS writes the others.
pub fn nfc(text: &str) -> Cow<'_, str> {
    let is_part = |c: char| class(c).is_some() || matches!(c, '\u{1161}'..='\u{1175}' | '\u{11a8}'..='\u{11c2}');
    if text.is_ascii() || !text.chars().any(is_part) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut letter = None;
    let mut marks = Vec::new();
    for c in text.chars() {
        if class(c).is_some() && letter.is_some() {
            marks.push(c);
            continue;
        }
        finish(&mut out, letter.replace(c), &mut marks);
    }
    finish(&mut out, letter, &mut marks);
    Cow::Owned(out)
}

/// Writes a letter with its marks.
fn finish(out: &mut String, letter: Option<char>, given: &mut Vec<char>) {
    let Some(mut letter) = letter else { return };
    if let Some(syllable) = out.chars().next_back().and_then(|before| hangul(before, letter)) {
        out.pop();
        letter = syllable;
    }
    let mut kept = String::new();
    if !given.is_empty() {
        let mut marks = Vec::new();
        while let Some((bare, mark)) = decompose(letter) {
            letter = bare;
            marks.insert(0, mark);
        }
        marks.append(given);
        sort::sort_by_key(&mut marks, |mark| class(*mark));
        let mut blocked = None;
        for mark in marks {
            match compose(letter, mark) {
                Some(composed) if blocked != class(mark) => letter = composed,
                _ => {
                    blocked = class(mark);
                    kept.push(mark);
                }
            }
        }
    }
    out.push(letter);
    out.push_str(&kept);
}

/// A Korean syllable of its first two letters, or of a syllable without a final and one.
fn hangul(before: char, c: char) -> Option<char> {
    let (before, c) = (u32::from(before), u32::from(c));
    match (before, c) {
        (0x1100..=0x1112, 0x1161..=0x1175) => char::from_u32(0xac00 + ((before - 0x1100) * 21 + (c - 0x1161)) * 28),
        (0xac00..=0xd7a3, 0x11a8..=0x11c2) if (before - 0xac00).is_multiple_of(28) => {
            char::from_u32(before + c - 0x11a7)
        }
        _ => None,
    }
}

/// For comparing as people type: lower case, no accents, `ß` as `ss`, one kind of dash and apostrophe, full-width letters
/// as plain ones. Blanks stay as they are.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in nfc(text).chars() {
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
        } else {
            c.to_lowercase().for_each(|c| fold_letter(c, &mut out));
        }
    }
    out
}

fn fold_letter(mut c: char, out: &mut String) {
    if let '\u{ff01}'..='\u{ff5e}' = c {
        c = char::from_u32(u32::from(c) - 0xfee0).map_or(c, |plain| plain.to_ascii_lowercase());
    }
    // Kana with a voice mark is another syllable, not an accented one.
    while let Some((bare, '\u{300}'..='\u{36f}' | '\u{653}'..='\u{655}')) = decompose(c) {
        c = bare;
    }
    let plain = match c {
        '\u{300}'..='\u{36f}' | '\u{653}'..='\u{655}' => "",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ħ' => "h",
        'ı' => "i",
        'ĳ' => "ij",
        'ĸ' => "k",
        'ŀ' => "l",
        'ŉ' => "n",
        'ŋ' => "n",
        'ŧ' => "t",
        'ſ' => "s",
        'ə' => "e",
        'ƒ' => "f",
        'ǆ' => "dz",
        'ǉ' => "lj",
        'ǌ' => "nj",
        'ς' => "σ",
        'ª' => "a",
        'º' => "o",
        '\u{fb00}' => "ff",
        '\u{fb01}' => "fi",
        '\u{fb02}' => "fl",
        '\u{fb03}' => "ffi",
        '\u{fb04}' => "ffl",
        '\u{fb05}' | '\u{fb06}' => "st",
        '‘' | '’' | '‛' | 'ʼ' | 'ʹ' | '´' => "'",
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => "-",
        c => return out.push(c),
    };
    out.push_str(plain);
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    /// The scripts of the tables.
    fn letters() -> impl Iterator<Item = char> {
        let ranges = [
            '\u{c0}'..='\u{52f}',
            '\u{1e00}'..='\u{1fff}',
            '\u{3040}'..='\u{30ff}',
            '\u{ac00}'..='\u{d7a3}',
        ];
        // A singleton is another spelling of one character, and not made of letter and mark.
        let is_singleton = |c: &char| c.to_string().nfc().ne([*c]);
        ranges.into_iter().flatten().filter(move |c| !is_singleton(c))
    }

    #[test]
    fn composition_agrees_with_the_unicode_tables() {
        for c in letters() {
            let apart: String = c.to_string().nfd().collect();
            assert_eq!(nfc(&apart), c.to_string(), "{c}");
        }
        for text in [
            "o\u{302}\u{323}",
            "e\u{323}\u{302}x",
            "a\u{301}\u{301}",
            "\u{301}a",
            "Å\u{323}",
            "a\u{334}\u{301}",
        ] {
            assert_eq!(nfc(text), text.nfc().collect::<String>(), "{text:?}");
        }
    }

    #[test]
    fn folding_leaves_no_accent_of_these_scripts() {
        for c in letters() {
            let marks = fold(&c.to_string())
                .nfd()
                .filter(|c| ('\u{300}'..='\u{36f}').contains(c))
                .count();
            assert_eq!(marks, 0, "{c}");
        }
    }

    #[test]
    fn text_that_is_composed_is_not_copied() {
        for text in ["Jan Novak", "Nguyễn Thị Hương", "Ёлка"] {
            assert!(matches!(nfc(text), Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(nfc("Nova\u{301}k"), "Novák");
    }

    #[test]
    fn names_fold_to_what_a_plain_keyboard_writes() {
        for (name, plain) in [
            ("Jürgen Groß", "jurgen gross"),
            ("Nguyễn Thị Hương", "nguyen thi huong"),
            ("Nova\u{301}k", "novak"),
            ("ŁÓDŹ", "lodz"),
            ("Đorđe Þórsson Æbelø", "dorde thorsson aebelo"),
            ("İstanbul ıĞ", "istanbul ig"),
            ("O’Brien‑Smith", "o'brien-smith"),
            ("Ｊａｎ", "jan"),
            ("Ёжик Σίσυφος", "ежик σισυφοσ"),
        ] {
            assert_eq!(fold(name), plain);
        }
    }
}
