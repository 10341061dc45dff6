extension HTMLReport {
  /// The style sheet: everything is in the file, and colours follow the reader's choice of light or dark.
  static let style = """
    :root { color-scheme: light dark; --text: #1c2024; --soft: #5c6670; --ground: #ffffff; --card: #f4f6f8;
      --line: #d9dfe5; --bar: #2f6fb3; --against: #c2571a; --bad: #b3261e; }
    @media (prefers-color-scheme: dark) {
      :root { --text: #e6e9ec; --soft: #9aa5b1; --ground: #14181c; --card: #1d2329; --line: #333c45; --bar: #6aa9ea;
        --against: #f0975a; --bad: #ff8a80; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--ground); color: var(--text);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
    main { max-width: 960px; margin: 0 auto; padding: 32px 24px 64px; }
    h1 { font-size: 26px; line-height: 1.25; margin: 0 0 8px; }
    h2 { font-size: 19px; margin: 40px 0 8px; }
    h3 { font-size: 15px; margin: 24px 0 4px; }
    p { margin: 4px 0; } .note { color: var(--soft); } .bad { color: var(--bad); }
    .cards { display: flex; flex-wrap: wrap; gap: 16px; margin: 24px 0 0; }
    .card { flex: 1 1 220px; background: var(--card); border: 1px solid var(--line); border-radius: 8px;
      padding: 14px 18px; }
    .card b { display: block; font-size: 28px; line-height: 1.2; font-variant-numeric: tabular-nums; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
    th, td { padding: 4px 10px; border-bottom: 1px solid var(--line); text-align: right; font-weight: 400;
      white-space: nowrap; }
    thead th { color: var(--soft); font-size: 13px; }
    th:first-child { text-align: left; padding-left: 0; white-space: normal; overflow-wrap: anywhere; }
    .total th, .total td { font-weight: 600; }
    svg { width: 100%; height: auto; display: block; margin: 8px 0; }
    .grid { stroke: var(--line); } .tick { fill: var(--soft); font-size: 12px; }
    .bar { fill: var(--bar); } .slot { fill: transparent; } g:hover .bar { opacity: 0.7; }
    .against { fill: none; stroke: var(--against); stroke-width: 1.5; }
    .key::before { content: ""; display: inline-block; width: 12px; height: 12px; margin-right: 6px;
      background: var(--bar); }
    .key.other::before { background: none; height: 0; border-top: 2px solid var(--against); vertical-align: 4px; }
    .key { margin-right: 20px; color: var(--soft); font-size: 13px; }
    """
}
