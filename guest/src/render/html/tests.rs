//! HTML to text, as a page's reader sees it.

use super::*;

#[track_caller]
fn check(html: &str, text: &str) {
    assert_eq!(to_text(html, Hidden::LeftOut), text);
}

#[test]
fn blocks_lists_and_breaks_become_lines() {
    check(
        "<div>Hello<br>world</div><p>One\n two</p><ul><li>a</li><li>b</li></ul>end",
        "Hello\nworld\n\nOne two\n\n- a\n- b\n\nend",
    );
}

#[test]
fn table_cells_stay_apart() {
    check(
        "<table><tr><th>Item</th><th>Price</th></tr><tr><td><p>Bike</p></td><td>10</td></tr></table>",
        "Item | Price\nBike | 10",
    );
}

#[test]
fn addresses_in_angle_brackets_and_comparisons_survive() {
    check(
        "<p>Jan &lt;jan@b.cz&gt; and <a@b.cz>, a < b and c > d</p>",
        "Jan <jan@b.cz> and <a@b.cz>, a < b and c > d",
    );
    check("write to <a@b.cz>\r\nor call", "write to <a@b.cz>\nor call");
}

#[test]
fn styles_scripts_titles_and_comments_are_not_text() {
    check(
        "<html><head><title>T</title><style>p{}</style></head><body><!--[if mso]>x<![endif]--><script>a()</script>Hi</body></html>",
        "Hi",
    );
}

#[test]
fn what_programs_like_this_one_are_to_show_is_text_and_a_drawing_ends_where_text_begins() {
    check(
        "<p>Hello</p><object data='x'><p>one</p></object><noscript>two</noscript>",
        "Hello\n\none\n\ntwo",
    );
    check(
        "<p>Hello</p><svg><text>x</text><path d='1'><p>rest</p>",
        "Hello\n\nx\n\nrest",
    );
}

#[test]
fn links_show_where_they_lead_unless_their_text_does() {
    check(
        r#"<a href="https://x.cz/pay">pay here</a> <a href="https://x.cz/">x.cz</a> <a href="mailto:a@b.cz">a@b.cz</a> <a href="javascript:x()">z</a>"#,
        "pay here (https://x.cz/pay) x.cz a@b.cz z",
    );
}

#[test]
fn what_the_page_does_not_show_is_left_out_with_a_word() {
    check(
        r#"a <div style="display: NONE"><div>x</div>reveal it</div>b <span hidden>y</span><img style="display:none" src="p">c"#,
        "a [hidden text left out] b [hidden text left out] c",
    );
    check(
        r#"<p>a</p><p style="display:none">never closed"#,
        "a\n\n[hidden text: never closed]",
    );
}

#[test]
fn plain_text_keeps_its_lines_and_decodes_entities() {
    check("a &amp; b\n  c", "a & b\n  c");
}

#[test]
fn quoted_mail_is_marked() {
    check(
        r#"<p>Wrote:</p><blockquote type="cite"><p>Old</p><blockquote class="gmail_quote">older</blockquote></blockquote>new<blockquote>set in</blockquote>"#,
        "Wrote:\n\n> Old\n>\n> > older\n\nnew\n\n> set in",
    );
}

#[test]
fn hidden_text_is_said_once_in_a_row() {
    let many = "<p hidden>a</p><img style='display:none'> ".repeat(1_000);
    assert_eq!(
        to_text(&format!("x {many} y"), Hidden::LeftOut),
        "x [hidden text left out] y"
    );
    assert_eq!(
        to_text("x<p hidden>a</p><p hidden>b</p>y", Hidden::Marked),
        "x [hidden text: a b] y"
    );
}

#[test]
fn a_page_of_nothing_but_hidden_text_shows_it_marked() {
    check("<div style='display:none'>all</div>", "[hidden text: all]");
}

#[test]
fn preformatted_text_keeps_its_lines() {
    check("<pre>a\n  b</pre>", "a\n  b");
}
