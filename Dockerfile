# The program and nothing else: no shell, no package manager, a user without rights.
#
#   docker build -t mcp-daktela .
#   docker buildx build --platform linux/amd64,linux/arm64 -t mcp-daktela .

FROM rust:1.95-slim-trixie AS build
RUN rustup target add wasm32-wasip2
WORKDIR /source
COPY . .
RUN cargo build --profile shipping --locked --package mcp-daktela

# Has glibc and the system's certificates.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /source/target/shipping/mcp-daktela /mcp-daktela
# The registry of MCP servers looks for its own name here; the tests compare these with host/packaging/project.json.
LABEL io.modelcontextprotocol.server.name="io.github.example/mcp-daktela"
LABEL org.opencontainers.image.title="mcp-daktela"
LABEL org.opencontainers.image.description="Read-only MCP server for the contact centre Daktela"
LABEL org.opencontainers.image.source="https://github.com/example/mcp-daktela"
LABEL org.opencontainers.image.licenses="MIT"
# Inside of a container the port is the border; the balancer in front of it ends TLS.
ENV MCP_TRANSPORT=streamable-http HOST=0.0.0.0 PORT=8080
EXPOSE 8080
ENTRYPOINT ["/mcp-daktela"]
