//! Settings of the log and of the OpenTelemetry trace exporter.

use clap::Args;
use url::Url;

use super::{ConfigError, filled};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Program")]
pub struct TelemetryOptions {
    /// OTLP endpoint (http/protobuf) of an OpenTelemetry collector that gets a span for each call, e.g. http://localhost:4318.
    /// The other OTEL_ variables of trace exporters count, too
    #[arg(
        long,
        global = true,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "URL",
        help_heading = "Program"
    )]
    pub otlp_endpoint: Option<String>,

    /// Least severe level of the log: error, warn, info, debug or off [default: info when serving, else warn]
    #[arg(
        long,
        global = true,
        env = "LOG_LEVEL",
        value_name = "LEVEL",
        help_heading = "Program"
    )]
    pub log_level: Option<tracing::level_filters::LevelFilter>,
}

impl TelemetryOptions {
    /// Where spans go. The variable for traces alone is a whole address, the other one has a path added to it, as
    /// OpenTelemetry has it.
    pub fn otlp(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Url>, ConfigError> {
        const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let given = |name| filled(variable(name));
        let says = |name, word: &str| given(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
        let (name, address) = match (given(TRACES), filled(self.otlp_endpoint.clone())) {
            (None, None) => return Ok(None),
            _ if says("OTEL_SDK_DISABLED", "true") || says("OTEL_TRACES_EXPORTER", "none") => return Ok(None),
            (Some(whole), _) => (TRACES, whole),
            (None, Some(base)) => (BASE, format!("{}/v1/traces", base.trim_end_matches('/'))),
        };
        let protocol = given("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| given("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if let Some(protocol) = protocol.filter(|protocol| protocol != "http/protobuf") {
            return Err(ConfigError::OtlpProtocol(protocol));
        }
        match Url::parse(&address) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(url)),
            _ => Err(ConfigError::OtlpEndpoint(name, address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        options: TelemetryOptions,
    }

    #[test]
    fn spans_go_where_opentelemetrys_variables_say() {
        let otlp = |words: &[&str]| {
            let (variables, flags): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| !word.starts_with("--"));
            let variable = |name: &str| {
                let found = variables
                    .iter()
                    .find_map(|it| it.split_once('=').filter(|(key, _)| *key == name));
                found.map(|(_, value)| value.to_owned())
            };
            let mut options = Program::parse_from([&["program"], flags.as_slice()].concat()).options;
            options.otlp_endpoint = options
                .otlp_endpoint
                .or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT"));
            let found = options.otlp(variable).map_err(|error| error.to_string())?;
            Ok::<_, String>(found.map(String::from))
        };
        let traces = |url: &str| Ok(Some(url.to_owned()));
        assert_eq!(otlp(&[]), Ok(None));
        assert_eq!(
            otlp(&["--otlp-endpoint=http://c:4318/"]),
            traces("http://c:4318/v1/traces")
        );
        assert_eq!(
            otlp(&["OTEL_EXPORTER_OTLP_ENDPOINT=https://c/base"]),
            traces("https://c/base/v1/traces")
        );
        let whole = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:1/x";
        assert_eq!(otlp(&["--otlp-endpoint=http://d", whole]), traces("http://c:1/x"));
        assert_eq!(otlp(&[whole, "OTEL_SDK_DISABLED=true"]), Ok(None));
        assert_eq!(otlp(&[whole, "OTEL_TRACES_EXPORTER=none"]), Ok(None));
        assert!(otlp(&["--otlp-endpoint=c:4318"]).is_err_and(|error| error.contains("expected e.g. http://")));
        assert!(otlp(&[whole, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"]).is_err_and(|error| error.contains("4318")));
    }
}
