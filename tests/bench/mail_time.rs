//! Time of the mail cleaner within the component: 1 MB of adversarial text in one call of get_email, by the CPU time of the whole
//! program, so that a busy machine does not count. Fails where an input takes longer than the limit.
//!
//! `cargo bench --bench mail_time`, with a part of a name for some.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use daktela_tests::program::Program;
use serde_json::json;

const BYTES: usize = 1_000_000;
/// Of the call, with the host's part of it: the answer of the instance is read, parsed and copied.
const LIMIT: Duration = Duration::from_millis(300);
const TRIES: usize = 5;

/// What is repeated, what stands in the middle, and what is repeated behind it.
const REPEATED: &[(&str, &str, &str)] = &[
    ("<b hidden>", "", "</b>"),
    ("<a>", "x", "<blockquote type=cite>x</blockquote>"),
    ("<div>", "x", "</div>"),
    ("<blockquote>", "x", "</blockquote>"),
    ("<table><tr><td>", "x", "</td></tr></table>"),
    ("<ol reversed><li>", "x", "</li></ol>"),
    ("<i><td>", "x", "</i>"),
    ("<span style='font-size:0.9em;color:red'>", "x", "</span>"),
    ("<p>Text of a line</p>\n", "", ""),
    ("<div style='display:none'>a</div>", "", ""),
    ("<style>.a{display:none}</style><p class=a>x</p>", "", ""),
    ("<ul><li>a", "", ""),
    ("<table><tr><td>a</td><td>b</td></tr></table>", "", ""),
    ("<td>a", "", ""),
    ("<img src='cid:a.png'>", "", ""),
    ("<a href='https://e.example/x'>t</a>", "", ""),
    ("<", "", ""),
    ("<a b='", "", ""),
    ("<a b='\"<", "", ""),
    ("<!--", "", ""),
    ("<x ", "", ""),
    ("</", "", ""),
    ("<textarea>", "", ""),
    ("<script>", "", ""),
    ("<br>", "", ""),
    ("&amp", "", ""),
    ("<p>&lt;", "", ""),
    ("From: a <a@b.cz>\n", "", ""),
    ("From: a@b.cz\nSent: 1. 1. 2025 10:12\n", "", ""),
    ("<b>From:</b> a &lt;a@b.cz&gt;<br><b>Sent:</b> 1. 1. 2025<br>", "", ""),
    ("On 3 May 2026 at 10:12 Jan <jan@b.cz> wrote:\n", "", ""),
    ("Dne 3. 6. 2025 v 10:12 Jan Novák napsal(a):\n", "", ""),
    ("> a\nb\n", "", ""),
    (">>>>>>>>>>>>>>>>>>>> a\n", "", ""),
    ("--\n", "", ""),
    ("______________\n", "", ""),
    ("a\n", "", ""),
    ("a\n\n", "", ""),
    ("V příloze\n", "", ""),
    ("[a](b) <c> ", "", ""),
    ("[", "", ""),
    ("a", "", ""),
    ("slovo ", "", ""),
    ("10:12 2025 a@b.cz ", "", ""),
    ("e\u{301}\u{302}", "", ""),
];

fn inputs() -> Vec<(String, String)> {
    let repeated = REPEATED.iter().map(|(open, middle, close)| {
        let count = BYTES / (open.len() + close.len());
        let text = format!("{}{middle}{}", open.repeat(count), close.repeat(count));
        (format!("{open:.40}").replace('\n', "\\n"), text)
    });
    let rules: String = (0..30_000)
        .map(|number| format!(".c{number}{{display:none}}"))
        .collect();
    let elements: String = (0..22_000).map(|number| format!("<p class=c{number}>x</p>")).collect();
    let chain: String = (0..40_000)
        .map(|number| format!("--v{number}:var(--v{});", number + 1))
        .collect();
    let more = [
        ("a word".to_owned(), "a word".to_owned()),
        ("many rules".to_owned(), format!("<style>{rules}</style>{elements}")),
        (
            "a chain of variables".to_owned(),
            format!("<style>p{{{chain}display:var(--v0)}}</style><p>x</p>"),
        ),
        (
            "a long style".to_owned(),
            format!("<p style='{}'>x</p>", "color:red;".repeat(90_000)),
        ),
        (
            "lines of a <pre>".to_owned(),
            format!("<pre>{}</pre>", "a\n".repeat(BYTES / 2)),
        ),
    ];
    more.into_iter().chain(repeated).collect()
}

/// An instance whose e-mails are the inputs, by number.
fn serve(inputs: &Arc<Vec<(String, String)>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let inputs = inputs.clone();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let inputs = inputs.clone();
            thread::spawn(move || answer(stream, &inputs));
        }
    });
    origin
}

fn answer(stream: TcpStream, inputs: &[(String, String)]) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !reader.read_line(&mut head).is_ok_and(|read| read > 0) {
                return;
            }
        }
        let number = head
            .split("activitiesEmail/")
            .nth(1)
            .and_then(|rest| rest.split('.').next());
        let number = number.and_then(|number| number.parse::<usize>().ok());
        let body = match number.and_then(|number| inputs.get(number)) {
            Some((_, text)) => json!({"error": [], "result": {"name": "1", "title": "x", "text": text}}),
            None => json!({"error": [], "result": {"data": [], "total": 0}}),
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let stream = reader.get_mut();
        if stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).is_err() {
            return;
        }
    }
}

/// CPU time of a process and its threads, in the kernel's hundredths of a second.
fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process of Linux");
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |field: usize| fields[field].parse::<u64>().expect("a number");
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

fn main() -> ExitCode {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let inputs = Arc::new(inputs());
    let origin = serve(&inputs);
    let mut program = Program::start(&[
        ("DAKTELA_URL", &origin),
        ("DAKTELA_ACCESS_TOKEN", "x"),
        ("DAKTELA_CPU_SECONDS", "60"),
        ("LOG_LEVEL", "off"),
    ]);
    let mut slow = 0;
    for (number, (name, _)) in inputs.iter().enumerate() {
        if wanted.as_ref().is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        let mut least = [Duration::MAX; 2];
        for (least, full) in least.iter_mut().zip([false, true]) {
            for _ in 0..TRIES {
                let before = cpu_time(program.pid());
                let answer = program.call("get_email", &json!({"name": number.to_string(), "full": full}));
                assert_eq!(answer["isError"], false, "{name}: {answer}");
                *least = (*least).min(cpu_time(program.pid()).saturating_sub(before));
            }
        }
        let is_slow = least.iter().any(|time| *time > LIMIT);
        slow += usize::from(is_slow);
        eprintln!(
            "{:5.2} s folded {:5.2} s whole  {name}{}",
            least[0].as_secs_f64(),
            least[1].as_secs_f64(),
            if is_slow { "  TOO SLOW" } else { "" }
        );
    }
    if slow > 0 {
        eprintln!("{slow} inputs took longer than {LIMIT:?}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
