//! Stems of names: the inflected forms of a Czech name, folded, lead to one stem, by its endings and the changes before them.
//!
//! `Novák`, `Nováka`, `Novákovi`, `Novákem`, `Nováková` and `Novákovou` are `novak`; `Marek` and `Markem`, `Němec` and `Němče`,
//! `Hanka` and `Hance`, `Olga` and `Olze`, `Dvorský` and `Dvorská` agree as well. Names that only differ in what is cut agree,
//! too, so that more is found than is meant: a stem serves for hiding.

/// Endings by their last letter, the longest first. Of a word in folded letters.
const ENDINGS: &[(u8, &[&str])] = &[
    (b'a', &["ovicova", "ovyma", "ova", "ata", "a"]),
    (b'c', &["ovic"]),
    (b'e', &["ove", "ete", "e"]),
    (b'h', &["ovych", "ych"]),
    (b'i', &["ovymi", "ovi", "ymi", "ami", "eti", "i"]),
    (b'm', &["ovym", "em", "um", "am", "im", "ym"]),
    (b'o', &["ovo", "eho", "iho", "o"]),
    (b'u', &["ovou", "ovu", "emu", "imu", "ou", "u"]),
    (b'v', &["uv"]),
    (b'y', &["ovy", "y"]),
];

/// The stem of a folded word, of at least two letters; the word itself where it is shorter than three.
pub(super) fn stem(word: &str) -> String {
    let last = word.as_bytes().last().copied().unwrap_or_default();
    let endings = ENDINGS.iter().find(|(letter, _)| *letter == last && word.len() > 2);
    let ending = endings.into_iter().flat_map(|(_, endings)| *endings).find(|ending| {
        // A name of four letters is no ending with a letter before it; Eva, Iva, Ota keep two.
        let least = if ending.len() == 1 || **ending == "ou" { 2 } else { 3 };
        word.len() >= ending.len() + least && word.ends_with(**ending)
    });
    normal(&word[..word.len() - ending.map_or(0, |ending| ending.len())])
}

/// Of several forms of a stem one: without the vowel that comes and goes, and with the consonant that endings soften.
fn normal(stem: &str) -> String {
    let mut out = stem.to_owned();
    let bytes = stem.as_bytes();
    let is_consonant = |byte: u8| byte.is_ascii_lowercase() && !b"aeiouy".contains(&byte);
    // Pavel and Pavla, Marek and Marka, Němec and Němce.
    if let [.., before, b'e', last] = bytes
        && bytes.len() > 3
        && is_consonant(*before)
        && is_consonant(*last)
    {
        out.remove(bytes.len() - 2);
    }
    if out.len() > 2 {
        // Hanka and Hance, Olga and Olze, Petr and Petře (folded already).
        let softened = match out.as_bytes()[out.len() - 1] {
            b'c' => Some('k'),
            b'z' | b'h' => Some('g'),
            _ => None,
        };
        if let Some(hard) = softened {
            out.pop();
            out.push(hard);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unicode;

    #[track_caller]
    fn agree(forms: &str) {
        let stems: Vec<String> = forms.split(' ').map(|form| stem(&unicode::fold(form))).collect();
        assert!(stems.windows(2).all(|two| two[0] == two[1]), "{forms}: {stems:?}");
    }

    #[test]
    fn the_forms_of_a_name_agree() {
        agree(
            "Novák Nováka Novákovi Novákem Nováku Nováková Novákové Novákovou Novákovi Nováci Nováků Novákovým Novákových",
        );
        agree("Dvorský Dvorského Dvorskému Dvorským Dvorská Dvorské Dvorskou");
        agree("Novotný Novotného Novotnému Novotným Novotná Novotné Novotnou");
        agree("Svoboda Svobody Svobodovi Svobodu Svobodo Svobodou Svobodová Svobodové Svobodovou");
        agree("Němec Němce Němcovi Němcem Němče Němcová Němcové");
        agree("Marek Marka Markovi Markem Marku Marková");
        agree("Havel Havla Havlovi Havlem Havle Havlová");
        agree("Jan Jana Janovi Janem Jane");
        agree("Petr Petra Petrovi Petrem Petře");
        agree("Jiří Jiřího Jiřímu Jiřím");
        agree("Eva Evy Evě Evu Evo Evou");
        agree("Hanka Hanky Hance Hanku Hanko Hankou");
        agree("Olga Olgy Olze Olgu Olgo Olgou");
        agree("Tomáš Tomáše Tomášovi Tomášem Tomáši");
        agree("Lukáš Lukáše Lukášovi Lukášem");
        agree("Ondřej Ondřeje Ondřejovi Ondřejem Ondřeji");
        agree("Marie Marii Marií");
        agree("Zdeněk Zdeňka Zdeňkovi Zdeňkem Zdeňku");
        agree("Procházka Procházky Procházkovi Procházkou Procházková Procházkové");
        agree("Kučera Kučery Kučerovi Kučerou Kučerová Kučerovou");
        agree("Smith Smithe Smithovi Smithem Smithová");
    }

    #[test]
    fn other_names_do_not() {
        let stem_of = |name: &str| stem(&unicode::fold(name));
        for (a, b) in [
            ("Novák", "Novotný"),
            ("Dvořák", "Dvorský"),
            ("Petr", "Pavel"),
            ("Jan", "Jiří"),
            ("Marek", "Martin"),
        ] {
            assert_ne!(stem_of(a), stem_of(b));
        }
    }
}
