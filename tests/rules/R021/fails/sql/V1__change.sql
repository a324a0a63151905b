CREATE ROLE reports LOGIN PASSWORD 'correct horse battery staple';
