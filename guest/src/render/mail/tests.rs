//! Folding, line by line.

use super::*;

#[track_caller]
fn check(text: &str, kept: &str, quoted: usize, signature: usize) {
    assert_eq!(
        fold(text, false),
        Folded {
            text: kept.to_owned(),
            quoted,
            signature
        }
    );
}

#[test]
fn reply_lines_open_the_quote() {
    for line in [
        "On Tue, Nov 3, 2026 at 10:12 AM Jan <jan@b.cz> wrote:",
        "Dne 3. 11. 2026 v 10:12 Jan Novák napsal(a):",
        "út 3. 11. 2026 v 10:12 odesílatel Jan <jan@b.cz> napsal:",
        "Am Di., 3. Nov. 2026 um 10:12 Uhr schrieb Jan <jan@b.cz>:",
        "wt., 3 lis 2026 o 10:12 Jan <jan@b.pl> napisał(a):",
        "Wiadomość napisana przez Jan <jan@b.pl> w dniu 3 lis 2026, o godz. 10:12:",
    ] {
        check(&format!("Yes.\n\n{line}\n\nOld text\nmore"), "Yes.", 3, 0);
    }
}

#[test]
fn a_reply_line_without_an_address_needs_marks_below() {
    for line in [
        "Dňa 3. 11. 2026 o 10:12 Jan napísal:",
        "Am 03.11.26 um 10:12 schrieb Jan Novák:",
        "W dniu 3.11.2026 o 10:12, Jan pisze:",
    ] {
        check(&format!("Yes.\n\n{line}\n\n> Old text\n> more"), "Yes.", 3, 0);
        let told = format!("Yes.\n\n{line}\n\nText\nmore");
        check(&told, &told, 0, 0);
    }
}

#[test]
fn a_wrapped_reply_line_counts_and_the_answer_below_the_quote_stays() {
    check(
        "On Tue, Nov 3, 2026 at 10:12 AM\nJan <jan@b.cz> wrote:\n> Old\n> text\n\nAn answer",
        "An answer",
        4,
        0,
    );
}

#[test]
fn a_sentence_is_not_a_reply_line() {
    let text = "On Monday I spoke to Petr\nand he wrote: the invoice is wrong.\nPlease mend it.";
    check(text, text, 0, 0);
    let text = "On that he wrote:\nplease mend it.";
    check(text, text, 0, 0);
    let text = "Ve středu 4. 11. mi kolega napsal:\nBude to zítra. Nebylo.";
    check(text, text, 0, 0);
    let text = "Wiadomość z 3.11.2026 brzmi tak:\nNie.";
    check(text, text, 0, 0);
}

#[test]
fn outlook_headers_and_rulers_open_the_quote() {
    check(
        "Ano.\n\nOd: Jan <jan@b.cz>\nOdesláno: úterý 3. listopadu 2026\nKomu: x\nPředmět: Faktura\n\nOld",
        "Ano.",
        5,
        0,
    );
    check(
        "Ja.\n\nVon: Jan\nGesendet: Dienstag\nAn: x\nBetreff: Rechnung\n\nOld",
        "Ja.",
        5,
        0,
    );
    check(
        "Ano.\n\n---\nOd: Jan <jan@b.cz>\nDatum: úterý 10:12\nPředmět: Faktura\n\nOld",
        "Ano.",
        4,
        0,
    );
    check("Yes.\n-----Original Message-----\nFrom: x\nOld", "Yes.", 3, 0);
}

#[test]
fn a_forward_keeps_what_it_forwards() {
    let text = "From: Jan\nSent: Tuesday\nTo: x\nSubject: Invoice\n\nThe content";
    check(text, text, 0, 0);
    let text = "See below.\n---------- Forwarded message ---------\nThe content";
    check(text, text, 0, 0);
    let text = "See below.\n\n---------- Forwarded message ---------\nFrom: Jan\nDate: Tuesday\nSubject: Invoice\nTo: x\n\nThe content";
    check(text, text, 0, 0);
    let text = "See below.\n\n> Begin forwarded message:\n>\n> From: Jan\n> Subject: Invoice\n> Date: Tuesday\n>\n> The content";
    check(text, text, 0, 0);
}

#[test]
fn a_subject_says_that_what_follows_is_forwarded() {
    let text = "Please deal with it.\n\nVon: Jan\nGesendet: Dienstag\nAn: x\nBetreff: Rechnung\n\nThe content";
    for subject in ["WG: Reklamation", "Fwd: Invoice", " FW:x"] {
        assert_eq!(fold(text, is_forwarded(subject)).text, text, "{subject}");
    }
    for subject in ["AW: WG: Reklamation", "Forwarding agents", "VS: 2026001"] {
        assert_eq!(
            fold(text, is_forwarded(subject)).text,
            "Please deal with it.",
            "{subject}"
        );
    }
}

#[test]
fn a_form_of_a_web_page_is_content() {
    for text in [
        "New request:\nVon: Max Muster <max@acme.de>\nDatum: 05.03.2026\nBetreff: Angebot\nNachricht: Bitte rufen Sie an.",
        "Hello,\nFrom: Bilbao warehouse\nDate: 5 March\nSubject: Delivery\nThe driver needs a call before 9.",
    ] {
        check(text, text, 0, 0);
    }
}

#[test]
fn answers_between_the_quotes_stay_with_what_they_answer() {
    check(
        "Dne 3. 11. 2026 v 10:12 Jan napsal(a):\n\n> One?\n\nYes.\n\n> Two?\n\nNo.",
        "> One?\n\nYes.\n\n> Two?\n\nNo.",
        1,
        0,
    );
}

#[test]
fn a_signature_folds_up_to_the_quote() {
    check(
        "Yes.\n-- \nJan\nAcme\n\nOn 3 May 2026 Jan <jan@b.cz> wrote:\n> old",
        "Yes.",
        2,
        2,
    );
}

#[test]
fn the_note_says_what_was_folded() {
    assert_eq!(
        fold("Yes.\n--\nJan\n\n2026-05-03 10:12 Jan <jan@b.cz>:\n> old", false)
            .note()
            .as_deref(),
        Some("2 lines of quoted mail and 1 line of signature")
    );
    assert_eq!(fold("Hi", false).note(), None);
}
