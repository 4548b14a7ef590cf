# The program and nothing else: no shell, no package manager, a user without rights.
#
#   docker build -t mcp-daktela .

FROM rust:1.95-slim-trixie AS build
RUN rustup target add wasm32-wasip2
WORKDIR /source
COPY . .
RUN cargo build --release --locked --package mcp-daktela

# Has glibc and the system's certificates.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /source/target/release/mcp-daktela /mcp-daktela
# Inside of a container the port is the border; the balancer in front of it ends TLS.
ENV MCP_TRANSPORT=streamable-http HOST=0.0.0.0 PORT=8080
EXPOSE 8080
ENTRYPOINT ["/mcp-daktela"]
