# Installs the released program; rendered for each release.
class McpDaktela < Formula
  desc "Read-only MCP server for the contact centre Daktela"
  homepage "{{repository}}"
  version "{{version}}"
  license "{{license}}"

  on_macos do
    url "{{release}}/{{archive universal-apple-darwin}}"
    sha256 "{{sha256 universal-apple-darwin}}"
  end

  on_linux do
    on_arm do
      url "{{release}}/{{archive aarch64-unknown-linux-musl}}"
      sha256 "{{sha256 aarch64-unknown-linux-musl}}"
    end
    on_intel do
      url "{{release}}/{{archive x86_64-unknown-linux-musl}}"
      sha256 "{{sha256 x86_64-unknown-linux-musl}}"
    end
  end

  def install
    bin.install "mcp-daktela"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/mcp-daktela --version")
    assert_match "tickets", shell_output("#{bin}/mcp-daktela --demo call count_tickets")
  end
end
