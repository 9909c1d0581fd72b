-- A browser's requests: ten headers, of which path, query, cookie, agent, referer and language vary.
-- 200 of them are built before the run, so that building costs the load's core nothing while it counts.
local agents = {
  "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
}
local languages = { "en-GB,en;q=0.9", "de-DE,de;q=0.8,en;q=0.5", "fr,fr-FR;q=0.8", "ja,en-US;q=0.7,en;q=0.3", "pt-BR,pt;q=0.9" }
local requests, at = {}, 0

function init(args)
  for i = 1, 200 do
    local path = string.format("/shop/%d/item-%d?page=%d&sort=%s", i % 17, i * 7919 % 1000, i, i % 2 == 0 and "price" or "name")
    requests[i] = table.concat({
      "GET " .. path .. " HTTP/1.1",
      "Host: " .. wrk.headers["Host"],
      "User-Agent: " .. agents[i % #agents + 1],
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
      "Accept-Language: " .. languages[i % #languages + 1],
      "Accept-Encoding: gzip, deflate, br, zstd",
      string.format("Referer: http://shop.example/shop/%d?from=%d", i % 13, i * 104729 % 9973),
      "Connection: keep-alive",
      string.format("Cookie: session=%08x%08x; theme=%s; seen=%d", i * 2654435761 % 4294967296, i * 40503, i % 3 == 0 and "dark" or "light", i),
      "Upgrade-Insecure-Requests: 1",
      "Sec-Fetch-Mode: navigate",
      "", "",
    }, "\r\n")
  end
end

function request()
  at = at % 200 + 1
  return requests[at]
end
