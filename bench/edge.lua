-- For wrk: hits of known visitors, as known_request.pgbench sends them, by way of a
-- trusted proxy.  "close" as argument: a connection for each request.  Prints one
-- line of figures, which bench/edge.sh reads.
local visitors = tonumber(os.getenv("visitors"))
local pages = {}
local thread_count = 0
local close = ""

function setup(thread)
	thread_count = thread_count + 1
	thread:set("seed", thread_count)
end

function init(args)
	math.randomseed(os.time() * 64 + seed)
	if args[1] == "close" then
		close = "Connection: close\r\n"
	end
	-- Zipf, exponent 1.2, as a table to draw from
	local total, sum = 0, 0
	for p = 1, 2000 do total = total + p ^ -1.2 end
	local slot = 1
	for p = 1, 2000 do
		sum = sum + p ^ -1.2 / total
		while slot <= 16384 and slot / 16384 <= sum do
			pages[slot] = p
			slot = slot + 1
		end
	end
	while slot <= 16384 do
		pages[slot] = 2000
		slot = slot + 1
	end
end

function request()
	local v, p = math.random(visitors), pages[math.random(16384)]
	return string.format("GET /matomo.php?idsite=1&rec=1&url=https%%3A%%2F%%2Fshop.example.org%%2Fpage%%2F%d" ..
		"&action_name=Page%%20%d&_id=%s&res=1920x1080&h=10&m=2&s=3&pdf=1&cookie=1&pv_id=abcdef HTTP/1.1\r\n" ..
		"Host: 127.0.0.1\r\n%sX-Forwarded-For: %d.%d.0.7\r\nAccept-Language: en-US,en;q=0.9\r\n" ..
		"User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\r\n",
		p, p, string.rep("a", 16 - #string.format("%x", v)) .. string.format("%x", v), close, 1 + v / 256, v % 256)
end

function done(summary, latency, requests)
	local e = summary.errors
	print(string.format("figures %d %d %d %d %.3f %.3f %.3f", summary.requests, summary.duration, e.status,
		e.connect + e.read + e.write + e.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
		latency.max / 1000))
end
