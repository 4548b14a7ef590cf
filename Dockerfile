# The program and nothing else: no shell, no package manager, a user without rights.
#
#   docker build -t mcp-daktela .

FROM rust:1.95-slim-trixie AS build
WORKDIR /source
COPY rust-toolchain.toml ./
# The toolchain that the sources name, with the component's target; a layer of its own, since it hardly changes.
RUN rustup show
COPY . .
RUN cargo build --release --locked --package mcp-daktela

# Has glibc and the system's certificates.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /source/target/release/mcp-daktela /mcp-daktela
# Inside of a container the port is the border; the balancer in front of it ends TLS.
ENV MCP_TRANSPORT=streamable-http HOST=0.0.0.0 PORT=8080
EXPOSE 8080
ENTRYPOINT ["/mcp-daktela"]
