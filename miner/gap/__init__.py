"""This computer beside dated published figures: tables, arithmetic, pictures, page."""
