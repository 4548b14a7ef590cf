# Installs mcp-daktela {{version}} for this user on Windows: downloads the archive, compares its digest, unpacks it, extends PATH.
#
#   irm {{release}}/install.ps1 | iex
#
# MCP_DAKTELA_DIR names another folder, MCP_DAKTELA_RELEASE another place that holds the files of the release.
$ErrorActionPreference = 'Stop'

function Install-McpDaktela {
    $release = if ($env:MCP_DAKTELA_RELEASE) { $env:MCP_DAKTELA_RELEASE } else { '{{release}}' }
    $folder = if ($env:MCP_DAKTELA_DIR) { $env:MCP_DAKTELA_DIR } else { Join-Path $env:LOCALAPPDATA 'Programs\mcp-daktela' }
    # Windows on Arm runs it as well.
    $name = 'mcp-daktela-{{version}}-x86_64-pc-windows-msvc'
    $work = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid())
    New-Item -ItemType Directory -Path $work | Out-Null
    try {
        [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
        $archive = Join-Path $work "$name.zip"
        $sums = Join-Path $work 'SHA256SUMS'
        Write-Host "Downloading $name ..."
        Invoke-WebRequest -UseBasicParsing "$release/$name.zip" -OutFile $archive
        Invoke-WebRequest -UseBasicParsing "$release/SHA256SUMS" -OutFile $sums
        $line = Get-Content $sums | Where-Object { $_.EndsWith("  $name.zip") }
        if (-not $line) { throw "SHA256SUMS does not name $name.zip" }
        $digest = (Get-FileHash -Algorithm SHA256 $archive).Hash
        if ($digest -ne $line.Split(' ')[0]) {
            throw 'The download is damaged or was changed: its digest is not the one in SHA256SUMS. Nothing was installed.'
        }
        Expand-Archive -Path $archive -DestinationPath $work
        New-Item -ItemType Directory -Force -Path $folder | Out-Null
        $program = Join-Path $folder 'mcp-daktela.exe'
        # A program that runs can be renamed, not overwritten.
        if (Test-Path $program) { Move-Item -Force $program "$program.old" }
        Copy-Item (Join-Path $work "$name\mcp-daktela.exe") $program
        Remove-Item -ErrorAction SilentlyContinue "$program.old"
        $path = [Environment]::GetEnvironmentVariable('Path', 'User')
        if (($path -split ';') -notcontains $folder) {
            [Environment]::SetEnvironmentVariable('Path', (@($path, $folder) -ne '' -join ';'), 'User')
        }
        Write-Host "Installed: $(& $program --version) in $folder"
        Write-Host "Connect Claude Desktop, Claude Code, VS Code, Cursor or Gemini with: & '$program' setup"
    }
    finally {
        Remove-Item -Recurse -Force $work
    }
}

Install-McpDaktela
