"""The paper's claims as studies: each a command that ends in a table and a figure."""
