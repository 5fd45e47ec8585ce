"""What an image carries about its making: written into its bytes, beside it, and read from both."""
