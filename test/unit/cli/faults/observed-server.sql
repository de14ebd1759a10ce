UPDATE servers
SET observe_until = (unixepoch() + 86400) * 1000 WHERE name = 'demo';
