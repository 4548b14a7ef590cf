//! A seeded generator of identities and of texts that hold them: names in their inflected forms, numbers with right checks, addresses.
//!
//! Surnames are made of syllables, so that hardly any is in a list; first names are real ones, some of them foreign.

/// SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, sides: usize) -> usize {
        (self.next() % sides as u64) as usize
    }

    pub(crate) fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }
}

/// First names with the forms in the cases from genitive to instrumental; the vocative is the last.
const MEN: &[[&str; 6]] = &[
    ["Jan", "Jana", "Janovi", "Janem", "Janovi", "Jane"],
    ["Petr", "Petra", "Petrovi", "Petrem", "Petrovi", "Petře"],
    ["Marek", "Marka", "Markovi", "Markem", "Markovi", "Marku"],
    ["Tomáš", "Tomáše", "Tomášovi", "Tomášem", "Tomášovi", "Tomáši"],
    ["Ondřej", "Ondřeje", "Ondřejovi", "Ondřejem", "Ondřejovi", "Ondřeji"],
    ["Jiří", "Jiřího", "Jiřímu", "Jiřím", "Jiřím", "Jiří"],
    [
        "Vojtěch",
        "Vojtěcha",
        "Vojtěchovi",
        "Vojtěchem",
        "Vojtěchovi",
        "Vojtěchu",
    ],
    [
        "Radovan",
        "Radovana",
        "Radovanovi",
        "Radovanem",
        "Radovanovi",
        "Radovane",
    ],
    [
        "Kryštof",
        "Kryštofa",
        "Kryštofovi",
        "Kryštofem",
        "Kryštofovi",
        "Kryštofe",
    ],
    ["Pavel", "Pavla", "Pavlovi", "Pavlem", "Pavlovi", "Pavle"],
];
const WOMEN: &[[&str; 6]] = &[
    ["Jana", "Jany", "Janě", "Janou", "Janě", "Jano"],
    ["Eva", "Evy", "Evě", "Evou", "Evě", "Evo"],
    ["Monika", "Moniky", "Monice", "Monikou", "Monice", "Moniko"],
    ["Olga", "Olgy", "Olze", "Olgou", "Olze", "Olgo"],
    ["Kateřina", "Kateřiny", "Kateřině", "Kateřinou", "Kateřině", "Kateřino"],
    ["Lucie", "Lucie", "Lucii", "Lucií", "Lucii", "Lucie"],
    ["Xenie", "Xenie", "Xenii", "Xenií", "Xenii", "Xenie"],
    ["Veronika", "Veroniky", "Veronice", "Veronikou", "Veronice", "Veroniko"],
];
const FOREIGN: &[(&str, &str)] = &[
    ("Oliver", "Whitcombe"),
    ("Margaret", "Ashdown"),
    ("Jürgen", "Weidenfeld"),
    ("Ingrid", "Kaltenbach"),
    ("Agnieszka", "Brzozowicz"),
    ("Oksana", "Dovbenko"),
    ("Thanh", "Phung"),
    ("Rajesh", "Venkataraman"),
    ("Yuki", "Takanashi"),
    ("Fatima", "Benhaddou"),
];
const ONSETS: &[&str] = &[
    "Br", "Ch", "Dr", "Hl", "Kl", "Kr", "Lh", "Mr", "Pl", "Šk", "Tr", "Vl", "Zb", "Žl", "Kn", "Sl",
];
const MIDDLES: &[&str] = &["obd", "ušt", "evl", "ázv", "ihn", "opt", "aďm", "urg", "ebz", "išv"];

/// A person, with the forms of the name that texts use.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) is_woman: bool,
    /// Of both names: genitive, dative, instrumental, vocative.
    pub(crate) cases: [(String, String); 4],
}

impl Person {
    pub(crate) fn new(dice: &mut Dice) -> Person {
        if dice.below(10) == 0 {
            let (first, last) = *dice.one(FOREIGN);
            let both = || (first.to_owned(), last.to_owned());
            return Person {
                first: first.to_owned(),
                last: last.to_owned(),
                is_woman: first.ends_with('a'),
                cases: [both(), both(), both(), both()],
            };
        }
        let root = format!("{}{}", dice.one(ONSETS), dice.one(MIDDLES));
        let is_woman = dice.below(2) == 0;
        let names = if is_woman { dice.one(WOMEN) } else { dice.one(MEN) };
        let (last, forms): (String, [String; 4]) = match (dice.below(5), is_woman) {
            (0, false) => ak(&root, "ák"),
            (1, false) => {
                let forms = ["ka", "kovi", "kem", "ku"].map(|ending| format!("{root}{ending}"));
                (format!("{root}ek"), forms)
            }
            (2, false) => {
                let forms = ["ského", "skému", "ským", "ský"].map(|ending| format!("{root}{ending}"));
                (format!("{root}ský"), forms)
            }
            (3, false) => {
                let forms = ["y", "ovi", "ou", "o"].map(|ending| format!("{root}{ending}"));
                (format!("{root}a"), forms)
            }
            (_, false) => ak(&root, "an"),
            (2, true) => {
                let forms = ["ské", "ské", "skou", "ská"].map(|ending| format!("{root}{ending}"));
                (format!("{root}ská"), forms)
            }
            (kind, true) => {
                let root = match kind {
                    0 => format!("{root}ák"),
                    1 => format!("{root}k"),
                    _ => root,
                };
                let forms = ["ové", "ové", "ovou", "ová"].map(|ending| format!("{root}{ending}"));
                (format!("{root}ová"), forms)
            }
        };
        let [genitive, dative, instrumental, vocative] = forms;
        Person {
            first: names[0].to_owned(),
            last,
            is_woman,
            cases: [
                (names[1].to_owned(), genitive),
                (names[2].to_owned(), dative),
                (names[3].to_owned(), instrumental),
                (names[5].to_owned(), vocative),
            ],
        }
    }

    pub(crate) fn full(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}

fn ak(root: &str, ending: &str) -> (String, [String; 4]) {
    let last = format!("{root}{ending}");
    let vocative = if ending.ends_with('k') { "u" } else { "e" };
    let forms = ["a", "ovi", "em", vocative].map(|case| format!("{last}{case}"));
    (last, forms)
}

/// Small letters of a plain keyboard.
pub(crate) fn plain(text: &str) -> String {
    const PLAIN: [(&str, char); 14] = [
        ("á", 'a'),
        ("č", 'c'),
        ("ď", 'd'),
        ("éě", 'e'),
        ("í", 'i'),
        ("ň", 'n'),
        ("óö", 'o'),
        ("ř", 'r'),
        ("š", 's'),
        ("ť", 't'),
        ("úůü", 'u'),
        ("ý", 'y'),
        ("žż", 'z'),
        ("ł", 'l'),
    ];
    let plain = |c: char| {
        PLAIN
            .iter()
            .find(|(letters, _)| letters.contains(c))
            .map_or(c, |(_, plain)| *plain)
    };
    text.to_lowercase().chars().map(plain).collect()
}

pub(crate) fn email(dice: &mut Dice, person: &Person) -> String {
    let (first, last) = (plain(&person.first), plain(&person.last));
    let domain = dice.one(&["seznam.cz", "email.cz", "gmail.com", "firma-kolo.cz", "post.example"]);
    match dice.below(3) {
        0 => format!("{first}.{last}@{domain}"),
        1 => format!("{last}{}@{domain}", dice.below(1000)),
        _ => format!("{}{last}@{domain}", &first[..1]),
    }
}

/// A number, and a spelling of it.
pub(crate) fn phone(dice: &mut Dice) -> (String, String) {
    let prefix = dice.one(&["602", "605", "721", "724", "731", "773", "777", "792"]);
    let digits = format!("{prefix}{}", dice.digits(6));
    let (a, b, c) = (&digits[..3], &digits[3..6], &digits[6..]);
    let written = match dice.below(6) {
        0 => digits.clone(),
        1 => format!("+420{digits}"),
        2 => format!("+420 {a} {b} {c}"),
        3 => format!("{a} {b} {c}"),
        4 => format!("00420 {a} {b} {c}"),
        _ => format!("{a}-{b}-{c}"),
    };
    (digits, written)
}

pub(crate) fn birth_number(dice: &mut Dice) -> String {
    let (year, month, day) = (
        dice.below(45) + 55,
        dice.below(12) + 1 + 50 * dice.below(2),
        dice.below(28) + 1,
    );
    let nine = format!("{year:02}{month:02}{day:02}{}", dice.digits(3));
    let check = nine.parse::<u64>().expect("digits") % 11 % 10;
    if dice.below(2) == 0 {
        format!("{}/{}{check}", &nine[..6], &nine[6..])
    } else {
        format!("{nine}{check}")
    }
}

/// A number that a weight in front makes right.
fn checked(dice: &mut Dice, length: usize) -> String {
    const WEIGHTS: [u32; 10] = [6, 3, 7, 9, 10, 5, 8, 4, 2, 1];
    loop {
        let digits = format!("{}{}", dice.below(9) + 1, dice.digits(length - 1));
        let weights = &WEIGHTS[10 - length..];
        let sum: u32 = digits
            .bytes()
            .zip(weights)
            .map(|(digit, weight)| u32::from(digit - b'0') * weight)
            .sum();
        if sum.is_multiple_of(11) {
            return digits;
        }
    }
}

pub(crate) fn bank_account(dice: &mut Dice) -> String {
    let length = dice.below(3) + 8;
    let number = checked(dice, length);
    let bank = *dice.one(&["0100", "0300", "0800", "2010", "3030", "5500", "6210"]);
    match dice.below(3) {
        0 => format!("{number}/{bank}"),
        1 => format!("{}-{number}/{bank}", checked(dice, 3)),
        _ => {
            let whole = format!("{bank}000000{number:0>10}");
            let check = 98
                - format!("{whole}123500")
                    .bytes()
                    .fold(0u64, |rest, byte| (rest * 10 + u64::from(byte - b'0')) % 97);
            let iban = format!("CZ{check:02}{whole}");
            if dice.below(2) == 0 {
                iban
            } else {
                iban.as_bytes()
                    .chunks(4)
                    .map(|four| String::from_utf8_lossy(four).into_owned())
                    .collect::<Vec<_>>()
                    .join(" ")
            }
        }
    }
}

pub(crate) fn card(dice: &mut Dice) -> String {
    let fifteen = format!("{}{}", dice.one(&["4", "51", "55"]), dice.digits(15));
    let fifteen = &fifteen[..15];
    let sum: u32 = fifteen
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, digit)| {
            let digit = u32::from(digit - b'0') * if i % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    let whole = format!("{fifteen}{}", (10 - sum % 10) % 10);
    if dice.below(2) == 0 {
        whole
    } else {
        whole
            .as_bytes()
            .chunks(4)
            .map(|four| String::from_utf8_lossy(four).into_owned())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

pub(crate) fn plate(dice: &mut Dice) -> String {
    let letter = |dice: &mut Dice| *dice.one(&["A", "B", "C", "E", "J", "K", "L", "M", "P", "S", "T", "U", "Z"]);
    let (region, second) = (letter(dice), letter(dice));
    format!("{}{region}{second} {}", dice.below(9) + 1, dice.digits(4))
}

pub(crate) fn ip(dice: &mut Dice) -> String {
    format!(
        "{}.{}.{}.{}",
        dice.below(200) + 11,
        dice.below(256),
        dice.below(256),
        dice.below(254) + 1
    )
}

/// Street and number, and the whole.
pub(crate) fn address(dice: &mut Dice) -> (String, String) {
    let street = *dice.one(&[
        "Dlouhá",
        "Krátká",
        "Na Výsluní",
        "Husova",
        "Jiráskova",
        "Sokolská",
        "U Nádraží",
        "Polní",
        "Karla Čapka",
        "Zahradní",
    ]);
    let number = match dice.below(3) {
        0 => format!("{}", dice.below(150) + 1),
        1 => format!("{}/{}", dice.below(2000) + 100, dice.below(40) + 1),
        _ => format!("{}a", dice.below(90) + 1),
    };
    let town = *dice.one(&[
        "Praha 4",
        "Brno",
        "Ústí nad Labem",
        "Kolín",
        "Nové Město na Moravě",
        "Zlín",
        "Horní Lhota",
    ]);
    let code = format!("{}{} {}", dice.below(7) + 1, dice.digits(2), dice.digits(2));
    (
        format!("{street} {number}"),
        format!("{street} {number}, {code} {town}"),
    )
}

/// A sentence with the name of somebody whom the instance does not know, and the words that have to go.
pub(crate) fn unknown_name(dice: &mut Dice, person: &Person) -> (String, Vec<String>) {
    let full = person.full();
    let [
        (gen_first, genitive),
        (dat_first, dative),
        (ins_first, instrumental),
        (_, vocative),
    ] = &person.cases;
    let (pan, pana, panem, panu, osloveni) = if person.is_woman {
        ("paní", "paní", "paní", "paní", "Vážená paní")
    } else {
        ("pan", "pana", "panem", "panu", "Vážený pane")
    };
    let both = |first: &String, last: &String| vec![first.clone(), last.clone()];
    let nominative = both(&person.first, &person.last);
    let last = vec![person.last.clone()];
    match dice.below(22) {
        0 => (
            format!("Dobrý den, jmenuji se {full} a píšu kvůli reklamaci."),
            nominative,
        ),
        1 => (format!("Včera mi volal {pan} {} ohledně dodání.", person.last), last),
        2 => (
            format!("Hledám {pana} {genitive}, řešil s ním opravu."),
            vec![genitive.clone()],
        ),
        3 => (
            format!("Domluvili jsme se s {panem} {instrumental} na čtvrtek."),
            vec![instrumental.clone()],
        ),
        4 => (
            format!("Prosím předejte to {panu} {dat_first} {dative}."),
            both(dat_first, dative),
        ),
        5 => (format!("Zboží nedorazilo.\n\nS pozdravem\n{full}"), nominative),
        6 => (format!("The order is late.\n\nBest regards,\n{full}"), nominative),
        7 => (format!("Dear {full},\nthank you for your message."), nominative),
        8 => (
            format!("Od: {full} <objednavky@kola.example>\nPředmět: Dotaz"),
            nominative,
        ),
        9 => (
            format!("{osloveni} {vocative},\nděkujeme za zprávu."),
            vec![vocative.clone()],
        ),
        10 => (format!("My name is {full} and I need help."), nominative),
        11 => (format!("Kontaktní osoba: {full}\nDoručit dopoledne."), nominative),
        12 => (
            format!("Mluvila jsem s {ins_first} {instrumental} z prodejny."),
            both(ins_first, instrumental),
        ),
        13 => (format!("Kolo bylo objednáno na jméno {full}."), nominative),
        14 => (
            format!("Chybí podpis {gen_first} {genitive} na smlouvě."),
            both(gen_first, genitive),
        ),
        15 => (
            format!("Dne 1. 11. 2026 v 10:30 {full} <info@kola.example> napsal:\n> Dobrý den"),
            nominative,
        ),
        16 => (format!("Ing. {full} to potvrdil e-mailem."), nominative),
        17 => (format!("Jméno: {full}\nPočet kusů: 2"), nominative),
        18 => (format!("Děkuji za vyřízení.\n{full}\nvedoucí nákupu"), nominative),
        19 => (format!("Tady {full}, chtěl jsem se zeptat na servis."), nominative),
        20 => (format!("Hi, this is {full} from the bike shop."), nominative),
        _ => (format!("Mr {} asked for an invoice.", person.last), last),
    }
}

/// Sentences without anybody: what people write about goods, dates, places and firms, also in capitals.
pub(crate) const HARMLESS: &[&str] = &[
    "Dobrý den, objednal jsem u Vás elektrokolo a dosud nedorazilo.",
    "Prosím o informaci, kdy bude zboží doručeno na prodejnu v Brně.",
    "Na rámu se po třech měsících objevila prasklina, fotky přikládám.",
    "Cenová nabídka platí do konce listopadu, poté se ceny změní.",
    "Baterie Bosch PowerTube 625 se nenabíjí, kontrolka bliká červeně.",
    "Reklamace č. 787979 byla přijata dne 20. 11. 2026 v 10:30.",
    "Objednávka 2026001234 v hodnotě 45 990 Kč byla zaplacena kartou.",
    "Děkujeme za Vaši zprávu. Ozveme se Vám nejpozději ve středu.",
    "Zákaznický servis je otevřen od pondělí do pátku od 8 do 16 hodin.",
    "Můžete mi prosím poslat fakturu znovu? Původní se ztratila.",
    "Česká pošta zásilku vrátila, protože nebyla vyzvednuta včas.",
    "Komerční banka platbu odmítla, zkuste to prosím ještě jednou.",
    "Karlovy Vary ani Hradec Králové v nabídce poboček nevidím.",
    "Jaký je rozdíl mezi modely Hřeben 700 a Údolí City?",
    "Displej Kiox 300 po aktualizaci firmwaru 1.4.2 nejde zapnout.",
    "Nový motor má záruku dva roky, malý servis je zdarma.",
    "Bohužel jsme nenašli žádnou shodu. Zkontrolujte prosím číslo rámu.",
    "Slevový kód JARO2026 v košíku nefunguje, hlásí chybu 404.",
    "Velikost rámu M je vhodná pro postavu 170 až 180 cm.",
    "Opravu provedeme do 14 dnů, kolo si vyzvednete na Vinohradech.",
    "Kurýr DPD měl přijet dopoledne, ale nikdo nepřijel.",
    "Hotová kola odesíláme každé úterý a čtvrtek z Ostravy.",
    "Prosím přepojte mě na technickou podporu nebo na vedoucího.",
    "Vrácení zboží je možné do 30 dnů bez udání důvodu.",
    "Ano, souhlasím se zpracováním osobních údajů podle GDPR.",
    "Podle zákona č. 89/2012 Sb. máte právo od smlouvy odstoupit.",
    "V příloze posílám doklad o koupi a snímek obrazovky.",
    "Brzdové destičky Shimano B05S máme skladem v počtu 12 ks.",
    "Nejdřív vypněte motor, potom vyjměte baterii a počkejte minutu.",
    "Smlouva o servisu končí v prosinci, chceme ji prodloužit o rok.",
    "Kde najdu návod k nabíječce? Na webu je jen anglická verze.",
    "Přeji hezký den a děkuji za rychlé vyřízení.",
    "S pozdravem tým zákaznické podpory",
    "Hello, my order has not arrived yet. Could you check the status?",
    "The battery does not charge and the display shows error 504.",
    "Please send the invoice again, the first one was lost.",
    "We ship to Germany, Austria and Poland within five days.",
    "I would like to return the helmet, it is too small.",
    "Kind regards from the Customer Support Team",
    "Will the new model be available in March or in April?",
    "May I change the delivery date to Friday afternoon?",
    "The warranty covers the frame for five years.",
    "Wir liefern nach Deutschland innerhalb von fünf Tagen.",
    "Der Akku lädt nicht und das Display bleibt dunkel.",
    "Bitte senden Sie mir die Rechnung noch einmal zu.",
    "Interní: zákazník volal třikrát, priorita vysoká, předat na L2.",
    "Stav: čeká na díl. Dodavatel slíbil termín 5. 12. 2026.",
    "Souhrn hovoru: dotaz na leasing, zájem o 12 kol pro firmu.",
    "Kupón na 500 Kč platí jen v e-shopu a nelze jej sčítat.",
    "Vedoucí směny potvrdil, že chyba byla na naší straně.",
];
